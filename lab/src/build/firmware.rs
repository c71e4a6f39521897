// SPDX-License-Identifier: GPL-2.0

//! The EL3 firmware of the emulated hosts, and what tests it: building them.

use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;

use crate::base::disk::{copy_whole, Lock};
use crate::base::process::{command, logged};
use crate::base::project::Project;
use crate::get::Toolchain;

/// The same for both: no C library, no MMU, and nothing but the image.
const FLAGS: [&str; 16] = [
    "--target=aarch64-none-elf",
    "-march=armv8-a",
    "-std=gnu2x",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffreestanding",
    "-fno-builtin",
    "-fno-pic",
    "-fno-stack-protector",
    "-mgeneral-regs-only",
    "-mstrict-align",
    "-nostdlib",
    "-static",
    "-fuse-ld=lld",
];

/// Builds both, which takes less than a second: nothing needs to be found out about what is old.
pub fn ensure(project: &Project, tools: &Toolchain) -> Result<()> {
    let _lock = Lock::take(&project.out("firmware"), "firmware")?;
    let sources = project.root().join("lab/firmware");
    build(project, tools, &sources, "firmware.ld", &project.firmware())?;
    build(
        project,
        tools,
        &sources.join("test"),
        "test.ld",
        &project.firmware_test(),
    )
}

/// Builds an image of all sources in a directory.
fn build(
    project: &Project,
    tools: &Toolchain,
    sources: &Path,
    script: &str,
    image: &Path,
) -> Result<()> {
    let name = image.file_stem().unwrap_or_default().to_string_lossy();
    let built = tempfile::NamedTempFile::new_in(project.out("firmware"))?;
    let link = format!("-Wl,-T,{script},--oformat=binary,--fatal-warnings");
    let arguments = FLAGS
        .iter()
        .map(Into::into)
        .chain([link.into(), "-o".into()]);
    let arguments = arguments.chain([built.path().to_path_buf()]);
    let clang = command(
        &tools.llvm.program("clang"),
        arguments.chain(files(sources)?),
    );
    logged(
        &format!("building the firmware ({name})"),
        &clang.dir(sources),
        &project.log(&format!("firmware-{name}")),
        |_| (),
    )?;
    copy_whole(built.path(), image)
}

/// The sources, always in the same order.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?.map(|entry| Ok(entry?.path()));
    let mut files: Vec<PathBuf> = entries.collect::<Result<_>>()?;
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        // What editors leave behind begins with a dot or a hash.
        name.starts_with(char::is_alphanumeric) && (name.ends_with(".c") || name.ends_with(".S"))
    });
    files.sort();
    Ok(files)
}
