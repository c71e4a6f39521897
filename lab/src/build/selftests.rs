// SPDX-License-Identifier: GPL-2.0

//! KVM's selftests, upstream's and ours, as static programs for arm64.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fs_err as fs;

use crate::base::disk::{copy_whole, made_with, Lock};
use crate::base::process::{command, logged, output};
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::build::kernel::make::{self, Kbuild, Warnings};
use crate::build::kernel::refuse_warnings;
use crate::get::Toolchain;

/// Where they are in a kernel tree.
const PLACE: &str = "tools/testing/selftests/kvm";

/// Makes sure that the selftests are built from the tree and our files as they are now, with the
/// `headers` that the tree exports.
pub fn ensure(project: &Project, tree: &Path, headers: &Path) -> Result<()> {
    let _lock = Lock::take(&project.base(), "selftests")?;
    let build_dir = project.base().join("build/selftests");
    let compiler = output(&command("aarch64-linux-gnu-gcc", ["--version"]))?;
    if made_with(&build_dir, &compiler)? {
        say("building the selftests anew: the compiler has changed");
    }
    // The kernel's Makefile takes the directory of its generated headers for granted.
    fs::create_dir_all(build_dir.join("tools"))?;
    let settings = [
        "CROSS_COMPILE=aarch64-linux-gnu-".to_owned(),
        format!("OUTPUT={}", build_dir.display()),
        // Generated headers go there, too, and not into the tree.
        format!("abs_objdir={}", build_dir.display()),
        format!("KHDR_INCLUDES=-isystem {}", headers.display()),
        "LDFLAGS=-static".to_owned(),
    ];
    let make = |args: &[&str]| make::make(&tree.join(PLACE), &settings, args);

    let what = "building the selftests";
    let step = Step::spinner(what);
    let mut warnings = Warnings::new(project)?.below(PLACE);
    logged(what, &make(&[]), &project.log("selftests"), |line| {
        if let Some((_, program)) = line.split_once(" -o ") {
            step.message(format!("building {program}"));
        }
        warnings.read(line);
    })?;
    drop(step);
    refuse_warnings(tree, warnings)?;
    let list = [
        "-s",
        "--eval=list-programs: ; @echo $(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED)",
        "list-programs",
    ];
    publish(&output(&make(&list))?, &build_dir, &project.selftests())
}

/// Exports the tree's UAPI headers, and returns where they are.
pub fn export_headers(project: &Project, tools: &Toolchain, tree: &Path) -> Result<PathBuf> {
    let _lock = Lock::take(&project.base(), "headers")?;
    let build_dir = project.base().join("build/headers");
    fs::create_dir_all(&build_dir)?;
    let what = "exporting the kernel's headers";
    let step = Step::spinner(what);
    let make = Kbuild::new(tree, &build_dir, tools).make(&["headers"]);
    logged(what, &make, &project.log("headers"), |line| {
        step.message(line.trim());
    })?;
    Ok(build_dir.join("usr/include"))
}

/// Copies the finished programs to where they are used, and removes those that are no more.
fn publish(programs: &str, build_dir: &Path, to: &Path) -> Result<()> {
    let mut published = BTreeSet::new();
    for program in programs.split_whitespace().map(Path::new) {
        let name = program.strip_prefix(build_dir);
        let name = name.with_context(|| format!("{} is not a selftest", program.display()))?;
        copy_whole(program, &to.join(name))?;
        published.insert(to.join(name));
    }
    for dir in [to, &to.join("arm64")] {
        for entry in fs::read_dir(dir)? {
            let file = entry?.path();
            if file.is_file() && !published.contains(&file) {
                fs::remove_file(&file)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_programs_are_published() {
        let dir = tempfile::tempdir().unwrap();
        let (build, to) = (dir.path().join("build"), dir.path().join("to"));
        fs::create_dir_all(build.join("arm64")).unwrap();
        fs::create_dir_all(to.join("arm64")).unwrap();
        for file in ["steal_time", "steal_time.o", "arm64/psci_test"] {
            fs::write(build.join(file), "").unwrap();
        }
        fs::write(to.join("arm64/old"), "").unwrap();
        let list = ["steal_time", "arm64/psci_test"].map(|name| build.join(name));
        let list = format!("{} {}\n", list[0].display(), list[1].display());
        publish(&list, &build, &to).unwrap();
        assert!(to.join("steal_time").exists() && to.join("arm64/psci_test").exists());
        assert!(!to.join("arm64/old").exists() && !to.join("steal_time.o").exists());
    }
}
