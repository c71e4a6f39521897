// SPDX-License-Identifier: GPL-2.0

//! The two kernels: one tree and one configuration, with the handlers in Rust or in C.

pub mod config;
pub mod make;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use fs_err as fs;

use crate::base::disk::{copy_whole, ensure_space, is_made_with, made_with, whole_dir, Lock};
use crate::base::error::fault;
use crate::base::process::{command, logged, output};
use crate::base::progress::{say, Step};
use crate::base::project::{Handlers, Project};
use crate::build::tree;
use crate::get::Toolchain;
use make::{Kbuild, Warnings};

/// What a build directory takes on the disk, in GB.
const SPACE: u64 = 1;

/// About how many steps a build from scratch has.
const STEPS: u64 = 1350;

/// Makes sure that both kernels are built from the tree and our files as they are now, and differ in
/// nothing but the handlers.
pub fn ensure(project: &Project, tools: &Toolchain, tree: &Path) -> Result<()> {
    let rust = build(project, tree, tools, Handlers::Rust)?;
    let c = build(project, tree, tools, Handlers::C)?;
    config::refuse_differences(&rust, &c)
}

/// Makes sure that the kernel with the component is built.
pub fn ensure_rust(project: &Project, tools: &Toolchain, tree: &Path) -> Result<()> {
    build(project, tree, tools, Handlers::Rust).map(drop)
}

/// Where a kernel is built. What other tools built there is removed.
pub fn kbuild(
    project: &Project,
    tree: &Path,
    tools: &Toolchain,
    handlers: Handlers,
) -> Result<Kbuild> {
    let build_dir = project.build_dir(handlers);
    refuse_odd_path(&build_dir)?;
    if made_with(&build_dir, &tools.fingerprint())? {
        say(format!(
            "building {} anew: the tools have changed",
            name(handlers)
        ));
    }
    Ok(Kbuild::new(tree, &build_dir, tools))
}

fn name(handlers: Handlers) -> String {
    format!("the kernel with handlers in {}", handlers.label())
}

fn build(project: &Project, tree: &Path, tools: &Toolchain, handlers: Handlers) -> Result<Kbuild> {
    let _lock = Lock::take(&project.base(), "kernels")?;
    let start = Instant::now();
    let kbuild = kbuild(project, tree, tools, handlers)?;
    let is_new = !kbuild.build_dir.join("vmlinux").exists();
    if is_new {
        ensure_space(&project.base(), SPACE, "a kernel build")?;
        start_from_other(project, handlers, tools)?;
    }
    config::ensure(project, &kbuild, handlers, &tree::kconfig(tree)?)?;

    let what = format!("building {}", name(handlers));
    let step = match kbuild.build_dir.join("vmlinux").exists() {
        true => Step::spinner(&*what),
        false => Step::counter(&*what, STEPS),
    };
    let mut warnings = Warnings::new(project)?;
    let log = project.log(&format!("kernel-{}", handlers.name()));
    logged(&what, &kbuild.make(&["Image"]), &log, |line| {
        if make::is_step(line) {
            step.inc(1);
            step.message(line.trim().to_string());
        }
        warnings.read(line);
    })?;
    drop(step);
    config::check(project, &kbuild, handlers)?;
    refuse_warnings(tree, warnings)?;

    let image = project.image(handlers);
    copy_whole(&kbuild.build_dir.join("arch/arm64/boot/Image"), &image)
        .with_context(|| format!("cannot make {}", image.display()))?;
    if is_new {
        let seconds = start.elapsed().as_secs();
        say(format!("built {} in {seconds} s", name(handlers)));
    }
    Ok(kbuild)
}

/// Begins with a copy of the other kernel's build directory if that one is complete: all but a few
/// files are the same.
fn start_from_other(project: &Project, handlers: Handlers, tools: &Toolchain) -> Result<()> {
    let other = project.build_dir(match handlers {
        Handlers::C => Handlers::Rust,
        Handlers::Rust => Handlers::C,
    });
    if !other.join("vmlinux").exists() || !is_made_with(&other, &tools.fingerprint()) {
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
