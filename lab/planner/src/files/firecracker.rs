// SPDX-License-Identifier: GPL-2.0

//! Firecracker's own files: what `cpu-template-helper fingerprint dump` and `template dump` write.
//!
//! Both hold all registers of a fresh VM, each as a bitmap of 128 digits, the highest first. A
//! fingerprint has the template as `guest_cpu_config`, and tells the versions of what made it.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::registers::{hex, name, Id, ID_AA64PFR1_EL1, PFR1_SSBS};
use crate::{lines, SavedVm};

#[derive(Deserialize)]
pub struct Fingerprint {
    #[serde(default)]
    pub kernel_version: String,
    #[serde(rename = "guest_cpu_config")]
    pub template: Template,
}

/// A CPU template for arm64; for other architectures, one without registers.
#[derive(Deserialize)]
pub struct Template {
    #[serde(default)]
    reg_modifiers: Vec<Modifier>,
}

#[derive(Deserialize)]
struct Modifier {
    #[serde(deserialize_with = "number")]
    addr: Id,
    /// That of a wide register, of which nothing is read, may have more bits set than 64.
    bitmap: String,
}

impl Template {
    /// The VM that it tells of.
    ///
    /// # Errors
    ///
    /// No bitmap, or a pseudo-register some bits of which it leaves open.
    pub fn saved(&self, name: &str) -> Result<SavedVm, String> {
        let is_read = |id| id == ID_AA64PFR1_EL1 || lines::is_pseudo_register(id);
        let modifiers = self.reg_modifiers.iter().filter(|it| is_read(it.addr));
        let registers = modifiers.filter_map(|modifier| modifier.register().transpose());
        SavedVm::of_all(name, registers.collect::<Result<_, String>>()?)
    }
}

impl Modifier {
    /// None: it leaves open whether the VM sees SSBS.
    fn register(&self) -> Result<Option<(Id, u64)>, String> {
        let (id, text, name) = (self.addr, &self.bitmap, name(self.addr));
        let Bitmap { value, open } =
            bitmap(text).ok_or_else(|| format!("{name}: `{text}` is no bitmap of 0, 1 and x"))?;
        if id == ID_AA64PFR1_EL1 {
            return Ok((open & PFR1_SSBS == 0).then_some((id, value)));
        }
        match open.count_ones() {
            0 => Ok(Some((id, value))),
            open => Err(format!("{name}: {open} of 64 bits are left open")),
        }
    }
}

/// Digits `0`, `1`, and `x` where it is left open what a bit is, as those are that are missing. `_`
/// may stand between them.
struct Bitmap {
    value: u64,
    open: u64,
}

/// Bits beyond the 64 of a register are not set.
fn bitmap(text: &str) -> Option<Bitmap> {
    let (mut value, mut told) = (0, 0);
    let digits = text.strip_prefix("0b").unwrap_or(text).bytes();
    for (bit, digit) in digits.rev().filter(|digit| *digit != b'_').enumerate() {
        let mask = 1_u128.checked_shl(u32::try_from(bit).ok()?)?;
        match digit {
            b'0' => told |= mask,
            b'1' => (value, told) = (value | mask, told | mask),
            b'x' => {}
            _ => return None,
        }
    }
    Some(Bitmap {
        value: u64::try_from(value).ok()?,
        open: !(told as u64),
    })
}

/// A number with the prefix `0x`, or `0b`.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let binary = |digits| u64::from_str_radix(digits, 2).ok();
    let number = text.strip_prefix("0b").map_or(hex(&text), binary);
    number.ok_or_else(|| D::Error::custom(format!("`{text}` is no number with 0x or 0b")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(modifiers: &[(&str, &str)]) -> Result<SavedVm, String> {
        let modifier =
            |(addr, bitmap): &(&str, &str)| format!(r#"{{"addr":"{addr}","bitmap":"{bitmap}"}}"#);
        let modifiers: Vec<String> = modifiers.iter().map(modifier).collect();
        let text = format!(
            r#"{{"reg_modifiers":[{}],"vcpu_features":[]}}"#,
            modifiers.join(",")
        );
        let template: Template = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        template.saved("vm")
    }

    /// All digits that Firecracker writes.
    fn wide(value: u64) -> String {
        format!("0b{value:0128b}")
    }

    #[test]
    fn pseudo_registers_are_kept_and_others_are_not() {
        let vm = saved(&[
            ("0x6030000000100042", &wide(0x3c5)),
            ("0x603000000013c021", &wide(0x21)),
            ("0x6030000000140003", &wide(2)),
            ("0x6030000000140000", &wide(0x1_0001)),
            ("0x6030000000160000", &format!("0b{:064b}", 1)),
            ("0x6020000000110000", "0bxx"),
            ("0x60400000001000d4", &format!("0b{:0128b}", u128::MAX)),
        ]);
        let vm = vm.unwrap();
        let registers: Vec<_> = vm.registers.iter().collect();
        let expected = [
            (0x6030_0000_0014_0000, 0x1_0001),
            (0x6030_0000_0014_0003, 2),
            (0x6030_0000_0016_0000, 1),
        ];
        assert_eq!(registers, expected);
        assert!(vm.ssbs_visible && vm.psci_0_2);
    }

    #[test]
    fn the_id_register_tells_whether_ssbs_is_visible() {
        let wa3 = ("0x6030000000140003", &*wide(1));
        for (pfr1, visible) in [
            (wide(0x20), true),
            (wide(0x01), false),
            ("0bxxxx0010xxxx".to_owned(), true),
            ("0bx0000xxxx".to_owned(), false),
            ("0bxx00xxxx".to_owned(), true),
        ] {
            let vm = saved(&[("0x603000000013c021", &pfr1), wa3]).unwrap();
            assert_eq!(vm.ssbs_visible, visible, "{pfr1}");
        }
        assert!(saved(&[wa3]).unwrap().ssbs_visible);
    }

    #[test]
    fn bad_templates_are_refused() {
        let wa3 = "0x6030000000140003";
        let open = format!("0bx{:063b}", 2);
        for (modifier, message) in [
            (
                (wa3, &*open),
                "SMCCC_ARCH_WORKAROUND_3: 1 of 64 bits are left open",
            ),
            ((wa3, "0b10"), "62 of 64 bits are left open"),
            ((wa3, &format!("0b1{:064b}", 2)), "is no bitmap"),
            ((wa3, &format!("0b0{:0128b}", 2)), "is no bitmap"),
            ((wa3, "0b2"), "is no bitmap"),
            (("6030000000140003", "0b1"), "no number with 0x or 0b"),
        ] {
            let error = saved(&[modifier]).unwrap_err();
            assert!(error.contains(message), "{modifier:?}: {error}");
        }
        assert!(saved(&[])
            .unwrap_err()
            .contains("no firmware pseudo-register"));
        let under = format!("0b{:0128b}", 2).replace("00000000", "_00000000");
        assert_eq!(
            saved(&[(wa3, &under)])
                .unwrap()
                .registers
                .value(0x6030_0000_0014_0003),
            Some(2)
        );
    }
}
