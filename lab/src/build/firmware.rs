// SPDX-License-Identifier: GPL-2.0

//! What runs without an operating system: the EL3 firmware of the emulated hosts, what tests it, and
//! the guest that `lab migrate` moves.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;
use glob::{glob, Pattern};

use super::compile;
use crate::base::disk::Lock;
use crate::base::project::Project;
use crate::get::Toolchain;

/// The same for all: no C library, no MMU, and nothing but the image.
const FLAGS: &str = "--target=aarch64-none-elf -march=armv8-a -std=gnu2x -O2 \
    -Wall -Wextra -Werror -ffreestanding -fno-builtin -fno-pic -fno-stack-protector \
    -mgeneral-regs-only -mstrict-align -nostdlib -static -fuse-ld=lld";

/// Builds them, which takes less than a second: nothing needs to be found out about what is old.
pub fn ensure(project: &Project, tools: &Toolchain) -> Result<()> {
    let _lock = Lock::take(&project.out("firmware"), "firmware")?;
    let clang = tools.llvm.program("clang");
    let sources = project.root().join("lab/firmware");
    let build = |name: &str, sources: &Path, image: &Path| {
        let link = format!("-Wl,-T,{name}.ld,--oformat=binary,--fatal-warnings");
        let mut args: Vec<OsString> = FLAGS.split_whitespace().map(Into::into).collect();
        args.push(link.into());
        // All sources, but not what editors leave behind.
        let pattern = Pattern::escape(&sources.to_string_lossy()) + "/[a-z]*.[cS]";
        for source in glob(&pattern)? {
            args.push(source?.into());
        }
        let log = project.log(&format!("firmware-{name}"));
        compile(&clang, args, sources, image, &log)
    };
    build("firmware", &sources, &project.firmware())?;
    build("test", &sources.join("test"), &project.firmware_test())?;
    build("guest", &sources.join("guest"), &project.guest())
}
