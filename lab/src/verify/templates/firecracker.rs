// SPDX-License-Identifier: GPL-2.0

//! Custom CPU templates as Firecracker reads and applies them on arm64.

use anyhow::{bail, ensure, Context, Result};
use serde::Deserialize;

use crate::model::dump::Dump;
use crate::model::registers::{hex, Id};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    #[serde(default)]
    kvm_capabilities: Vec<String>,
    #[serde(default)]
    vcpu_features: Vec<Features>,
    #[serde(default)]
    reg_modifiers: Vec<Modifier>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Features {
    #[serde(rename = "index")]
    _index: u32,
    bitmap: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Modifier {
    addr: String,
    bitmap: String,
}

/// What is written, and to which bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bits {
    value: u128,
    filter: u128,
}

impl Template {
    pub fn parse(text: &str) -> Result<Self> {
        let template: Self = serde_json::from_str(text)?;
        for capability in &template.kvm_capabilities {
            let number = capability.strip_prefix('!').unwrap_or(capability);
            number
                .parse::<u32>()
                .with_context(|| format!("capability `{capability}`"))?;
        }
        for features in &template.vcpu_features {
            bits(&features.bitmap, u32::BITS)?;
        }
        for modifier in &template.reg_modifiers {
            modifier.parse()?;
        }
        Ok(template)
    }

    /// The registers that it writes, with the values that a VM has then: it has those of the dump
    /// before.
    ///
    /// # Errors
    ///
    /// The VM does not have a register.
    pub fn applied(&self, fresh: &Dump) -> Result<Dump> {
        let registers = self.reg_modifiers.iter().map(|modifier| {
            let (id, bits) = modifier.parse()?;
            let before = fresh.value(id);
            let before = before.with_context(|| format!("the VM has no register {id:#018x}"))?;
            let after = (u128::from(before) & !bits.filter) | bits.value;
            Ok((id, u64::try_from(after)?))
        });
        Ok(Dump {
            source: fresh.source.clone(),
            registers: registers.collect::<Result<_>>()?,
        })
    }
}

impl Modifier {
    fn parse(&self) -> Result<(Id, Bits)> {
        let Self { addr, bitmap } = self;
        let id = hex(addr).with_context(|| format!("`{addr}` is no address"))?;
        // Bits 55:52 are the binary logarithm of the size in bytes.
        let width = 8 << (id >> 52 & 0xf);
        ensure!([32, 64, 128].contains(&width), "{addr} has {width} bits");
        Ok((id, bits(bitmap, width)?))
    }
}

/// Reads digits from the last one: `x` and those that are missing leave a bit as it is.
fn bits(text: &str, width: u32) -> Result<Bits> {
    let mut bits = Bits {
        value: 0,
        filter: 0,
    };
    let digits = text.strip_prefix("0b").unwrap_or(text).bytes().rev();
    for (place, digit) in digits.filter(|digit| *digit != b'_').enumerate() {
        ensure!(place < 128, "`{text}` has too many digits");
        match digit {
            b'x' => {}
            b'0' => bits.filter |= 1 << place,
            b'1' => {
                bits.filter |= 1 << place;
                bits.value |= 1 << place;
            }
            _ => bail!("`{text}` is no bitmap"),
        }
    }
    let limit = u128::MAX >> (u128::BITS - width);
    ensure!(bits.filter <= limit, "`{text}` has more than {width} bits");
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modified(bitmap: &str) -> String {
        format!(r#"{{"reg_modifiers":[{{"addr":"0x6030000000140001","bitmap":"{bitmap}"}}]}}"#)
    }

    fn fresh() -> Dump {
        Dump::parse("a53", "0x6030000000140001 0x2\n").unwrap()
    }

    #[test]
    fn bits_are_set_cleared_and_left() {
        let zeros = format!("0b{:063b}1", 0);
        for (bitmap, value) in [
            (&*zeros, 1),
            ("0b1", 3),
            ("0bx0", 2),
            ("0b_0_1", 1),
            ("0b", 2),
        ] {
            let template = Template::parse(&modified(bitmap)).unwrap();
            let applied = template.applied(&fresh()).unwrap();
            assert_eq!(
                applied.registers,
                [(0x6030_0000_0014_0001, value)],
                "{bitmap}"
            );
        }
    }

    #[test]
    fn what_firecracker_refuses_is_refused() {
        let all =
            r#"{"kvm_capabilities":["1","!2"],"vcpu_features":[{"index":0,"bitmap":"0b11"}]}"#;
        Template::parse(all).unwrap();
        for text in [
            modified(&format!("0b{:065b}", 0)),
            modified("0b2"),
            modified("0b1").replace("0x6030", "6030"),
            modified("0b1").replace("0x6030", "0x6010"),
            modified("0b1").replace("bitmap", "value"),
            modified("0b1").replace("reg_modifiers", "registers"),
            all.replace("!2", "!a"),
            all.replace("0b11", "0b_z"),
            format!("# {all}"),
        ] {
            assert!(Template::parse(&text).is_err(), "{text}");
        }
        let template = Template::parse(&modified("0b1").replace("140001", "140003")).unwrap();
        assert!(template.applied(&fresh()).is_err());
    }
}
