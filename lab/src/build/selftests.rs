// SPDX-License-Identifier: GPL-2.0

//! KVM's selftests, upstream's and ours, as static programs for arm64.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use fs_err as fs;

use crate::base::disk::{copy_whole, made_with, Lock};
use crate::base::process::{command, logged, output};
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::build::kernel::make::{is_step, without_foreign, Kbuild, Warnings};
use crate::build::kernel::refuse_warnings;
use crate::get::Toolchain;

/// Where they are in a kernel tree.
const PLACE: &str = "tools/testing/selftests/kvm";

/// Makes sure that the selftests are built from the tree and our files as they are now, and
/// returns the directory that holds them.
pub fn ensure(project: &Project, tools: &Toolchain, tree: &Path) -> Result<PathBuf> {
    let _lock = Lock::take(&project.base(), "selftests")?;
    let headers = export_headers(project, tools, tree)?;

    let build_dir = project.base().join("build/selftests");
    let compiler = output(&command("aarch64-linux-gnu-gcc", ["--version"]))?;
    if made_with(&build_dir, &compiler)? {
        say("building the selftests anew: the compiler has changed");
    }
    // The kernel's Makefile takes the directory of its generated headers for granted.
    fs::create_dir_all(build_dir.join("tools"))?;
    let make = |args: &[&str]| {
        let jobs = available_parallelism().map_or(1, usize::from);
        let settings = [
            format!("-j{jobs}"),
            "--no-print-directory".into(),
            "ARCH=arm64".into(),
            "CROSS_COMPILE=aarch64-linux-gnu-".into(),
            format!("OUTPUT={}", build_dir.display()),
            // Generated headers go there, too, and not into the tree.
            format!("abs_objdir={}", build_dir.display()),
            format!("KHDR_INCLUDES=-isystem {}", headers.display()),
            "LDFLAGS=-static".into(),
        ];
        let args = settings
            .into_iter()
            .chain(args.iter().map(|arg| arg.to_string()));
        without_foreign(command("make", args).dir(tree.join(PLACE)))
    };

    let step = Step::spinner("building the selftests");
    let mut warnings = Warnings::new(project)?.below(PLACE);
    logged(
        "building the selftests",
        &make(&[]),
        &project.log("selftests"),
        |line| {
            if let Some(program) = line.split(" -o ").nth(1) {
                step.message(format!(
                    "building {}",
                    program.trim_start_matches(&*build_dir.to_string_lossy())
                ));
            }
            warnings.read(line);
        },
    )?;
    refuse_warnings(tree, warnings)?;
    let list = [
        "-s",
        "--eval=list-programs: ; @echo $(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED)",
        "list-programs",
    ];
    let programs = output(&make(&list))?;
    drop(step);
    publish(&programs, &build_dir, &project.selftests())?;
    Ok(project.selftests())
}

/// Exports the tree's UAPI headers, and returns where they are.
pub fn export_headers(project: &Project, tools: &Toolchain, tree: &Path) -> Result<PathBuf> {
    let build_dir = project.base().join("build/headers");
    fs::create_dir_all(&build_dir)?;
    let step = Step::spinner("exporting the kernel's headers");
    let make = Kbuild::new(tree, &build_dir, tools).make(&["headers"]);
    logged(
        "exporting the headers",
        &make,
        &project.log("headers"),
        |line| {
            if is_step(line) {
                step.message(line.trim().to_string());
            }
        },
    )?;
    Ok(build_dir.join("usr/include"))
}

/// Copies the finished programs to where they are used, and removes those that are no more.
fn publish(programs: &str, build_dir: &Path, to: &Path) -> Result<()> {
    let mut names = BTreeSet::new();
    for program in programs.split_whitespace() {
        let name = Path::new(program)
            .strip_prefix(build_dir)
            .with_context(|| format!("{program} is not a selftest"))?;
        copy_whole(&build_dir.join(name), &to.join(name))?;
        names.insert(name.to_path_buf());
    }
    for dir in [to.to_path_buf(), to.join("arm64")] {
        for entry in fs::read_dir(dir)? {
            let file = entry?.path();
            let name = file.strip_prefix(to)?;
            if file.is_file() && !names.contains(name) {
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
