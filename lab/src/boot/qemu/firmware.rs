// SPDX-License-Identifier: GPL-2.0

//! How QEMU boots with `lab/firmware` at EL3: that takes no image from anybody, but finds all in
//! RAM, where QEMU puts it at each reset.

use std::path::Path;

use anyhow::Result;

use crate::model::hosts::FirmwareAnswers;

/// What the board has beside what it has for every host. ACPI's devices would take the place of
/// some in the device tree.
pub const BOARD: &str = "secure=on,acpi=off";

/// As in `lab/firmware/firmware.h`, but for the initrd, of which only the kernel knows.
const DEVICE_TREE: u64 = 0x4020_0000;
const ANSWERS: u64 = 0x4030_0000;
const KERNEL: u64 = 0x4040_0000;
const INITRD: u64 = 0x4800_0000;

/// The firmware, and what it is to answer.
pub struct Firmware<'a> {
    pub image: &'a Path,
    pub answers: FirmwareAnswers,
}

impl Firmware<'_> {
    /// Has it start the kernel.
    pub fn boot(&self, tree: &Path, kernel: &Path, initrd: Option<&Path>) -> Vec<String> {
        let file = |path: &Path, address: u64| {
            let path = quote(path);
            format!("loader,file={path},addr={address:#x},force-raw=on")
        };
        let mut devices = vec![file(tree, DEVICE_TREE), file(kernel, KERNEL)];
        devices.extend(initrd.map(|initrd| file(initrd, INITRD)));
        let answers = (ANSWERS..).step_by(4).zip(self.answers.all());
        devices.extend(answers.map(|(address, answer)| {
            format!("loader,addr={address:#x},data={answer:#x},data-len=4")
        }));

        let devices = devices.into_iter();
        let devices = devices.flat_map(|device| ["-device".to_owned(), device]);
        let bios = ["-bios".to_owned(), self.image.display().to_string()];
        devices.chain(bios).collect()
    }
}

/// What the kernel has to be told about its initrd.
pub fn cmdline(initrd: Option<&Path>) -> Result<String> {
    Ok(match initrd {
        None => String::new(),
        Some(initrd) => format!("initrd={INITRD:#x},{}", fs_err::metadata(initrd)?.len()),
    })
}

/// A path in an option that has several parts.
pub fn quote(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_put_where_the_firmware_looks() {
        let header = include_str!("../../../firmware/firmware.h");
        let number = |name: &str| {
            let mut lines = header.lines();
            let found = lines.find_map(|line| {
                let mut words = line.strip_prefix("#define ")?.split_whitespace();
                (words.next() == Some(name)).then(|| words.next())?
            });
            let digits = found.unwrap();
            match digits.strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
                None => digits.parse().unwrap(),
            }
        };
        for (name, ours) in [
            ("MAX_CPUS", crate::model::hosts::MAX_CPUS.into()),
            ("DEVICE_TREE", DEVICE_TREE),
            ("ANSWERS", ANSWERS),
            ("KERNEL", KERNEL),
        ] {
            assert_eq!(number(name), ours, "{name}");
        }
    }

    #[test]
    fn words_and_files_are_devices() {
        let firmware = Firmware {
            image: Path::new("el3.bin"),
            answers: FirmwareAnswers {
                workaround_1: 0,
                workaround_2: -2,
                workaround_3: 1,
            },
        };
        let arguments = firmware.boot(Path::new("a,b.dtb"), Path::new("Image"), None);
        assert_eq!(
            arguments.join(" "),
            "-device loader,file=a,,b.dtb,addr=0x40200000,force-raw=on \
             -device loader,file=Image,addr=0x40400000,force-raw=on \
             -device loader,addr=0x40300000,data=0x0,data-len=4 \
             -device loader,addr=0x40300004,data=0xfffffffe,data-len=4 \
             -device loader,addr=0x40300008,data=0x1,data-len=4 \
             -bios el3.bin"
        );
    }

    #[test]
    fn an_initrd_is_told_with_its_size() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "12345").unwrap();
        assert_eq!(cmdline(Some(file.path())).unwrap(), "initrd=0x48000000,5");
        assert_eq!(cmdline(None).unwrap(), "");
    }
}
