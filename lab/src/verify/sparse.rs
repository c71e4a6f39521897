// SPDX-License-Identifier: GPL-2.0

//! The kernel's C files that we add or edit, and the headers that they include, seen by sparse.

use std::path::Path;

use anyhow::{ensure, Result};
use fs_err as fs;

use crate::base::kernel::Handlers;
use crate::base::process::logged;
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::build::kernel::make::Kbuild;
use crate::build::{kernel, tree};
use crate::get::Toolchain;
use crate::model::results::{Case, Groups};

/// Where C files are objects of the kernel.
const KERNEL: &str = "arch/";

/// Debian's sparse is older than a keyword that the kernel uses, and without it Kbuild does not run
/// it. What it means apart from qualifiers is this.
const SPARSE: &str = "CHECK=sparse -D__typeof_unqual__=__typeof__";

pub fn run(project: &Project, tools: &Toolchain) -> Result<Groups> {
    let changes = tree::changes(project)?;
    let _lock = kernel::lock(project)?;
    let groups = Handlers::ALL.map(|handlers| {
        let cases = look(project, tools, handlers, &changes)?;
        Ok((handlers.name().to_owned(), cases))
    });
    groups.into_iter().collect()
}

/// Looks at the files that are in one of the kernels.
fn look(
    project: &Project,
    tools: &Toolchain,
    handlers: Handlers,
    changes: &[String],
) -> Result<Vec<Case>> {
    let tree = project.tree();
    let kbuild = Kbuild::new(&tree, &project.build_dir(handlers), tools);
    let mut objects: Vec<String> = changes.iter().filter_map(|path| object(path)).collect();
    objects.retain(|object| kbuild.build_dir.join(object).exists());
    ensure!(!objects.is_empty(), "nothing of ours is built");

    let step = Step::spinner("looking with sparse");
    let mut args = vec!["C=2", SPARSE];
    args.extend(objects.iter().map(String::as_str));
    let log = project.log(&format!("sparse-{}", handlers.name()));
    let (mut found, mut looks) = (Vec::new(), 0);
    logged("sparse", &kbuild.make(&args), &log, |line| {
        looks += usize::from(is_look(line, changes));
        found.extend(diagnosis(line, &tree, changes));
    })?;
    drop(step);

    let wanted = objects.len();
    let (all, cause) = (looks == wanted, format!("looked at {looks} of {wanted}"));
    let mut cases = vec![Case::good_or(all, format!("{wanted} files"), cause)];
    // A file that we edit has lines of others, on some of which sparse has its say.
    for (file, line, text) in found {
        let source = fs::read_to_string(tree.join(&file))?;
        let line = source.lines().nth(line.saturating_sub(1));
        let added = tree::added(project, &file)?;
        if added.lines().any(|added| added == line.unwrap_or_default()) {
            cases.push(Case::fail("diagnosis", text));
        }
    }
    Ok(cases)
}

/// The object that a C file becomes.
fn object(path: &str) -> Option<String> {
    let stem = path.strip_suffix(".c")?;
    stem.starts_with(KERNEL).then(|| format!("{stem}.o"))
}

/// Whether a line of Kbuild's tells that sparse looks at a file of ours.
fn is_look(line: &str, ours: &[String]) -> bool {
    let file = line
        .strip_prefix("  CHECK ")
        .map(|file| Path::new(file.trim()));
    file.is_some_and(|file| ours.iter().any(|path| file.ends_with(path)))
}

/// What sparse says of a file in which we have lines, `file:line:column: warning: ...`: file, line
/// and all of it.
fn diagnosis(said: &str, tree: &Path, ours: &[String]) -> Option<(String, usize, String)> {
    let (file, rest) = said.split_once(':')?;
    let file = Path::new(file);
    let file = file.strip_prefix(tree).unwrap_or(file).to_str()?;
    let file = file.strip_prefix("./").unwrap_or(file);
    let line = rest.split(':').next()?.parse().ok()?;
    let ours = ours.iter().any(|path| path == file);
    ours.then(|| (file.to_owned(), line, format!("{file}:{rest}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_files_of_the_kernel_are_told_from_others() {
        let object = |path| object(path).unwrap_or_default();
        assert_eq!(object("arch/arm64/kvm/guest.c"), "arch/arm64/kvm/guest.o");
        assert_eq!(object("arch/arm64/kvm/fw_regs/vm.rs"), "");
        assert_eq!(object("samples/kvm/fw_regs_vmm.c"), "");
        assert_eq!(object("rust/helpers/kvm.c"), "");
    }

    #[test]
    fn diagnoses_of_our_files_are_found() {
        let ours = ["a/b.c".to_owned()];
        let said = |line| diagnosis(line, Path::new("/k"), &ours);
        let text = "a/b.c:1:2: warning: symbol".to_owned();
        let known = Some(("a/b.c".to_owned(), 1, text));
        assert_eq!(said("/k/a/b.c:1:2: warning: symbol"), known);
        assert_eq!(said("a/b.c:1:2: warning: symbol"), known);
        assert_eq!(said("/k/a/c.c:1:2: warning: symbol"), None);
        assert_eq!(said("  CHECK   a/b.c"), None);
        assert!(is_look("  CHECK   /k/a/b.c", &ours));
        assert!(!is_look("  CHECK   /k/a/c.c", &ours));
        assert!(!is_look("  CC      a/b.o", &ours));
    }
}
