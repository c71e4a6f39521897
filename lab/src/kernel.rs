// SPDX-License-Identifier: GPL-2.0

//! The two kernels: one tree and one configuration, with the handlers in Rust or in C.

pub mod config;
pub mod make;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fs_err as fs;

use crate::disk::{copy_whole, ensure_space, whole_dir, Lock};
use crate::fault::fault;
use crate::process::{command, logged, output};
use crate::project::{Handlers, Project};
use crate::setup::{self, Toolchain};
use crate::tree;
use crate::ui::{say, Step};
use make::{Kbuild, Warnings};

/// What a build directory takes on the disk, in GB.
const SPACE: u64 = 1;

/// About how many steps a build from scratch has.
const STEPS: u64 = 1350;

/// Makes sure that a kernel is built from the tree and our files as they are now, and returns its
/// image.
pub fn ensure(project: &Project, handlers: Handlers) -> Result<PathBuf> {
    let tools = setup::ensure(project)?;
    let tree = tree::ensure(project)?;
    build(project, &tree, &tools, handlers)
}

/// Makes sure of both kernels, and says where they are.
pub fn run(project: &Project) -> Result<()> {
    for handlers in Handlers::ALL {
        say(ensure(project, handlers)?.display().to_string());
    }
    Ok(())
}

fn build(project: &Project, tree: &Path, tools: &Toolchain, handlers: Handlers) -> Result<PathBuf> {
    let _lock = Lock::take(&project.base(), "kernels")?;
    let build_dir = project.build_dir(handlers);
    refuse_odd_path(&build_dir)?;
    if !build_dir.join("vmlinux").exists() {
        ensure_space(&project.base(), SPACE, "a kernel build")?;
        start_from_other(project, handlers)?;
    }
    let kbuild = Kbuild::new(tree, &build_dir, tools);
    config::ensure(project, &kbuild, handlers, &tree::kconfig(tree)?)?;

    let name = format!("the kernel with handlers in {}", handlers.label());
    let step = match build_dir.join("vmlinux").exists() {
        true => Step::spinner(format!("building {name}")),
        false => Step::counter(format!("building {name}"), STEPS),
    };
    let mut warnings = Warnings::new(project)?;
    let log = project.log(&format!("kernel-{}", handlers.name()));
    logged(
        &format!("building {name}"),
        &kbuild.make(&["Image"]),
        &log,
        |line| {
            if make::is_step(line) {
                step.inc(1);
                step.message(line.trim().to_string());
            }
            warnings.read(line);
        },
    )?;
    drop(step);
    config::check(project, &kbuild, handlers)?;
    refuse_warnings(tree, warnings)?;

    let image = project.image(handlers);
    copy_whole(&build_dir.join("arch/arm64/boot/Image"), &image)
        .with_context(|| format!("cannot make {}", image.display()))?;
    Ok(image)
}

/// Begins with a copy of the other kernel's build directory if that one is complete: all but a few
/// files are the same.
fn start_from_other(project: &Project, handlers: Handlers) -> Result<()> {
    let other = match handlers {
        Handlers::C => project.build_dir(Handlers::Rust),
        Handlers::Rust => project.build_dir(Handlers::C),
    };
    if !other.join("vmlinux").exists() {
        return Ok(());
    }
    copy_build(&other, &project.build_dir(handlers))
}

/// Copies a build directory. What is built again there is only what is to become different.
pub fn copy_build(from: &Path, to: &Path) -> Result<()> {
    let step = Step::spinner("copying the build directory");
    whole_dir(to, |dir| {
        let mut all = from.to_path_buf().into_os_string();
        all.push("/.");
        let args = ["-a".into(), "--reflink=auto".into(), all, dir.into()];
        output(&command("cp", args))?;
        rename_in_commands(&dir.join("rust"), from, to)
    })?;
    drop(step);
    Ok(())
}

fn refuse_odd_path(dir: &Path) -> Result<()> {
    let odd = |c: char| c.is_whitespace() || c == ':';
    if dir.to_string_lossy().contains(odd) {
        return Err(fault(
            format!("a kernel cannot be built in {}", dir.display()),
            "move this checkout to a path without spaces and colons",
        ));
    }
    Ok(())
}

/// Kbuild builds again what was built by another command, and the commands of the Rust crates name
/// the build directory, from which they include generated files. Those are the same files.
fn rename_in_commands(dir: &Path, from: &Path, to: &Path) -> Result<()> {
    let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
    for entry in fs::read_dir(dir)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "cmd") {
            let commands = fs::read_to_string(&file)?;
            fs::write(&file, commands.replace(&*from, &to))?;
        }
    }
    Ok(())
}

/// A warning in a file of ours is an error. The file is made to look new, so that the next build
/// warns again.
pub fn refuse_warnings(tree: &Path, warnings: Warnings) -> Result<()> {
    let found = warnings.into_found();
    if found.is_empty() {
        return Ok(());
    }
    for (path, _) in &found {
        let file = fs::OpenOptions::new().append(true).open(tree.join(path))?;
        file.file().set_modified(std::time::SystemTime::now())?;
    }
    let lines: Vec<String> = found
        .into_iter()
        .map(|(_, text)| format!("\n  {text}"))
        .collect();
    Err(fault(
        format!("warnings in our files:{}", lines.concat()),
        "the whole warnings are in the log in out/log/",
    ))
}
