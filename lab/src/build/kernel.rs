// SPDX-License-Identifier: GPL-2.0

//! The two kernels: one tree and one configuration, with the handlers in Rust or in C.

pub mod config;
pub mod make;

use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;

use crate::base::disk::{copy_whole, ensure_space, is_made_with, made_with, whole_dir, Lock};
use crate::base::error::fault;
use crate::base::kernel::{Handlers, Kernel};
use crate::base::process::{command, logged, output};
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::build::tree;
use crate::get::Toolchain;
use make::{Kbuild, Warnings};

/// What a build directory takes on the disk, in GB.
const SPACE: u64 = 1;

/// Keeps other runs away from the kernels' build directories.
pub fn lock(project: &Project) -> Result<Lock> {
    Lock::take(&project.base(), "kernels")
}

/// Makes sure that both kernels are built from the tree and our files as they are now, and differ in
/// nothing but the handlers.
pub fn ensure(project: &Project, tools: &Toolchain, tree: &Path) -> Result<()> {
    let _lock = lock(project)?;
    let build = |handlers: Handlers| build(project, tree, tools, handlers.into());
    // The second begins as a copy of the first.
    let are_built = Handlers::ALL
        .iter()
        .all(|one| is_usable(&project.build_dir(*one), tools));
    let (rust, c) = match are_built {
        true => std::thread::scope(|scope| {
            let c = scope.spawn(|| build(Handlers::C));
            let rust = build(Handlers::Rust);
            (rust, c.join().expect("a build does not panic"))
        }),
        false => (build(Handlers::Rust), build(Handlers::C)),
    };
    config::refuse_differences(&rust?, &c?)
}

/// Makes sure that one kernel of ours is built.
pub fn ensure_one(
    project: &Project,
    tools: &Toolchain,
    tree: &Path,
    kernel: impl Into<Kernel>,
) -> Result<()> {
    let _lock = lock(project)?;
    build(project, tree, tools, kernel.into()).map(drop)
}

/// Where a kernel is built. What other tools built there is removed.
pub fn kbuild(project: &Project, tree: &Path, tools: &Toolchain, kernel: Kernel) -> Result<Kbuild> {
    let build_dir = project.build_dir(kernel);
    let is_odd = |c: char| c.is_whitespace() || c == ':';
    if build_dir.to_string_lossy().contains(is_odd) {
        return Err(fault(
            format!("a kernel cannot be built in {}", build_dir.display()),
            "move this checkout to a path without spaces and colons",
        ));
    }
    if made_with(&build_dir, &tools.fingerprint())? {
        let name = name(kernel);
        say(format!("building {name} anew: the tools have changed"));
    }
    Ok(Kbuild::new(tree, &build_dir, tools))
}

fn is_built(build_dir: &Path) -> bool {
    build_dir.join("vmlinux").exists()
}

fn is_usable(build_dir: &Path, tools: &Toolchain) -> bool {
    is_built(build_dir) && is_made_with(build_dir, &tools.fingerprint())
}

fn name(kernel: Kernel) -> String {
    match kernel {
        Kernel::Ours(handlers) => format!("the kernel with handlers in {}", handlers.label()),
        other => format!("the {other} kernel"),
    }
}

fn build(project: &Project, tree: &Path, tools: &Toolchain, kernel: Kernel) -> Result<Kbuild> {
    let kbuild = kbuild(project, tree, tools, kernel)?;
    let is_new = !is_built(&kbuild.build_dir);
    if is_new {
        ensure_space(&project.base(), SPACE, "a kernel build")?;
        let dirs = Handlers::ALL.map(|other| project.build_dir(other));
        let other = dirs.iter().find(|dir| is_usable(dir, tools));
        // All but a few files are the same; of a variant, few files are.
        if let (Kernel::Ours(_), Some(other)) = (kernel, other) {
            copy_build(other, &kbuild.build_dir)?;
        }
    }
    config::ensure(project, &kbuild, kernel, &tree::kconfig(tree)?)?;

    let what = format!("building {}", name(kernel));
    let step = Step::spinner(&*what);
    let mut warnings = Warnings::new(project)?;
    let log = project.log(&format!("kernel-{kernel}"));
    logged(&what, &kbuild.make(&["Image"]), &log, |line| {
        step.message(line.trim());
        warnings.read(line);
    })?;
    drop(step);
    config::holds(&kbuild, &config::fragment(project, kernel)?)?;
    refuse_warnings(tree, warnings)?;
    let image = kbuild.build_dir.join("arch/arm64/boot/Image");
    copy_whole(&image, &project.image(kernel))?;
    if is_new {
        say(format!("built {}", name(kernel)));
    }
    Ok(kbuild)
}

/// Copies a build directory. What is built again there is only what is to become different.
pub fn copy_build(from: &Path, to: &Path) -> Result<()> {
    let _step = Step::spinner("copying the build directory");
    whole_dir(to, |dir| {
        let options = ["-a", "--reflink=auto"].map(PathBuf::from);
        let places = [from.join("."), dir.into()];
        output(&command("cp", options.into_iter().chain(places)))?;
        // Kbuild builds again what was built by another command, and the commands of the Rust
        // crates name the build directory, from which they include generated files. Those are the
        // same files.
        let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
        for entry in fs::read_dir(dir.join("rust"))? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "cmd") {
                let commands = fs::read_to_string(&file)?;
                fs::write(&file, commands.replace(&*from, &to))?;
            }
        }
        Ok(())
    })
}

/// A warning in a file of ours is an error. The file is made to look new, so that the next build
/// warns again.
pub fn refuse_warnings(tree: &Path, warnings: Warnings) -> Result<()> {
    let mut texts = String::new();
    for (path, text) in warnings.into_found() {
        let file = fs::OpenOptions::new().append(true).open(tree.join(path))?;
        file.file().set_modified(std::time::SystemTime::now())?;
        texts += &format!("\n  {text}");
    }
    match texts.is_empty() {
        true => Ok(()),
        false => Err(fault(
            format!("warnings in our files:{texts}"),
            "the whole warnings are in the log in out/log/",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_build_directory_has_commands_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("rust-kernel"), dir.path().join("c-kernel"));
        fs::create_dir_all(from.join("rust")).unwrap();
        fs::write(from.join("vmlinux"), "").unwrap();
        let command = |dir: &Path| format!("rustc {}/rust/a.rs", dir.display());
        fs::write(from.join("rust/.a.cmd"), command(&from)).unwrap();
        copy_build(&from, &to).unwrap();
        assert!(to.join("vmlinux").exists());
        let copied = fs::read_to_string(to.join("rust/.a.cmd")).unwrap();
        assert_eq!(copied, command(&to));
    }
}
