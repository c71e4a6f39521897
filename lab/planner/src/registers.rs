// SPDX-License-Identifier: GPL-2.0

//! The pseudo-registers by name, and as people read them.

use fw_regs_policy::Register;

/// A register's id, as in `struct kvm_one_reg`.
pub type Id = u64;

pub const PSCI_VERSION: Id = 0x6030_0000_0014_0000;
pub const WORKAROUND_1: Id = 0x6030_0000_0014_0001;
pub const WORKAROUND_2: Id = 0x6030_0000_0014_0002;
pub const WORKAROUND_3: Id = 0x6030_0000_0014_0003;
pub const STD_BMAP: Id = 0x6030_0000_0016_0000;
pub const STD_HYP_BMAP: Id = 0x6030_0000_0016_0001;
pub const VENDOR_HYP_BMAP: Id = 0x6030_0000_0016_0002;
pub const VENDOR_HYP_BMAP_2: Id = 0x6030_0000_0016_0003;
pub const ID_AA64PFR1_EL1: Id = 0x6030_0000_0013_c021;
/// The field of `ID_AA64PFR1_EL1` that tells of SSBS.
pub const PFR1_SSBS: u64 = 0xf0;

/// The registers that a table has a column for, with the column's title.
pub const COLUMNS: [(Id, &str); 8] = [
    (PSCI_VERSION, "PSCI"),
    (WORKAROUND_1, "WA1"),
    (WORKAROUND_2, "WA2"),
    (WORKAROUND_3, "WA3"),
    (STD_BMAP, "STD"),
    (STD_HYP_BMAP, "HYP"),
    (VENDOR_HYP_BMAP, "VND"),
    (VENDOR_HYP_BMAP_2, "VND2"),
];

/// What the columns' titles mean.
pub const LEGEND: &str = "\
WA1 to WA3: SMCCC_ARCH_WORKAROUND_1 to _3, 0 not available, 1 available (WA2: unknown), 2 not
required (WA2: available), 3 (WA2 only) not required. STD, HYP, VND, VND2: bitmaps of the
standard, standard hypervisor and vendor hypervisor services.";

/// The register's name in the UAPI without `KVM_REG_ARM_`, or its id.
pub fn name(id: Id) -> String {
    match Register::try_from(id) {
        Ok(register) => register.name().to_owned(),
        Err(ID_AA64PFR1_EL1) => "ID_AA64PFR1_EL1".to_owned(),
        Err(id) => format!("{id:#018x}"),
    }
}

/// The value as a table shows it.
pub fn short(id: Id, value: u64) -> String {
    match id {
        PSCI_VERSION => format!("{}.{}", value >> 16, value & 0xffff),
        WORKAROUND_1..=WORKAROUND_3 => value.to_string(),
        _ => format!("{value:#x}"),
    }
}

/// The value as a sentence shows it: with its meaning where it has a name.
pub fn long(id: Id, value: u64) -> String {
    let meaning = match (id, value) {
        (WORKAROUND_1..=WORKAROUND_3, 0) => "not available",
        (WORKAROUND_1 | WORKAROUND_3, 1) => "available",
        (WORKAROUND_1 | WORKAROUND_3, 2) => "not required",
        (WORKAROUND_2, 1) => "unknown",
        (WORKAROUND_2, 2) => "available",
        (WORKAROUND_2, 3) => "not required",
        _ => return short(id, value),
    };
    format!("{value} ({meaning})")
}

/// A register as the VMM writes it in a line: `0x<id> 0x<value>`.
pub fn line(text: &str) -> Option<(Id, u64)> {
    let (id, value) = text.split_once(' ')?;
    Some((hex(id)?, hex(value)?))
}

/// A number with the prefix `0x`.
pub fn hex(word: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

/// Numbers of 64 bits in JSON: as strings with the prefix `0x`, which survive every reader.
pub mod json {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{number:#x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::hex(&text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not of the form \"0x<number>\"")))
    }

    /// One that may be missing.
    pub mod optional {
        use serde::{Deserializer, Serializer};

        pub fn serialize<S: Serializer>(
            number: &Option<u64>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match number {
                Some(number) => super::serialize(number, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<u64>, D::Error> {
            super::deserialize(deserializer).map(Some)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_by_meaning() {
        let cases = [
            (0x6030_0000_0014_0000, 0x10003, "PSCI_VERSION", "1.3", "1.3"),
            (
                0x6030_0000_0014_0001,
                2,
                "SMCCC_ARCH_WORKAROUND_1",
                "2",
                "2 (not required)",
            ),
            (
                0x6030_0000_0014_0002,
                2,
                "SMCCC_ARCH_WORKAROUND_2",
                "2",
                "2 (available)",
            ),
            (
                0x6030_0000_0014_0003,
                7,
                "SMCCC_ARCH_WORKAROUND_3",
                "7",
                "7",
            ),
            (0x6030_0000_0016_0002, 3, "VENDOR_HYP_BMAP", "0x3", "0x3"),
            (0x6030_0000_0016_0009, 1, "0x6030000000160009", "0x1", "0x1"),
        ];
        for (id, value, expected_name, expected_short, expected_long) in cases {
            assert_eq!(name(id), expected_name);
            assert_eq!(short(id, value), expected_short);
            assert_eq!(long(id, value), expected_long);
        }
    }

    #[test]
    fn the_columns_are_the_registers_of_the_policy() {
        let ids = COLUMNS.map(|(id, _)| Register::try_from(id));
        assert_eq!(ids, Register::ALL.map(Ok));
        assert_eq!(name(ID_AA64PFR1_EL1), "ID_AA64PFR1_EL1");
    }

    #[test]
    fn hex_needs_its_prefix() {
        assert_eq!(hex("0x1f"), Some(0x1f));
        for word in ["1f", "0x", "0xg", "", "0x1_0"] {
            assert_eq!(hex(word), None, "{word:?}");
        }
    }
}
