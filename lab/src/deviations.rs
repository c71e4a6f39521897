// SPDX-License-Identifier: GPL-2.0

//! The differences between the C and the Rust handlers that are meant, `lab/deviations.toml`.

use std::collections::BTreeSet;

use anyhow::{ensure, Context, Result};
use glob::Pattern;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::project::Project;
use crate::registers;
use crate::vectors::{Answer, Difference, Vectors};

/// One difference that is meant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    pub name: String,
    pub description: String,
    #[serde(default = "anything")]
    hosts: Globs,
    setups: Globs,
    /// Names as in the UAPI, without `KVM_REG_ARM_`.
    registers: Vec<String>,
    c: Side,
    rust: Side,
}

/// The answers of one kernel.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    set: Option<Glob>,
    get: Option<Glob>,
    read: Option<Glob>,
}

#[derive(Debug, Clone)]
struct Glob(Pattern);

type Globs = Vec<Glob>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    deviation: Vec<Deviation>,
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Pattern::new(&text).map(Self).map_err(D::Error::custom)
    }
}

fn anything() -> Globs {
    vec![Glob(Pattern::new("*").unwrap_or_default())]
}

fn any_matches(globs: &Globs, text: &str) -> bool {
    globs.iter().any(|glob| glob.0.matches(text))
}

impl Side {
    fn matches(&self, answer: &Answer) -> bool {
        let matches =
            |glob: &Option<Glob>, text: &str| glob.as_ref().is_none_or(|glob| glob.0.matches(text));
        matches(&self.set, &answer.set)
            && matches(&self.get, &answer.get)
            && matches(&self.read, &answer.read)
    }
}

impl Deviation {
    fn matches(&self, host: &str, difference: &Difference) -> bool {
        any_matches(&self.hosts, host)
            && any_matches(&self.setups, &difference.setup)
            && self.registers.contains(&registers::name(difference.id))
            && self.c.matches(&difference.c)
            && self.rust.matches(&difference.rust)
    }

    /// Whether the host has vectors in which it should be seen.
    fn is_expected(&self, host: &str, vectors: &Vectors) -> bool {
        any_matches(&self.hosts, host)
            && vectors.runs.keys().any(|(setup, id)| {
                any_matches(&self.setups, setup) && self.registers.contains(&registers::name(*id))
            })
    }
}

/// All that are meant.
pub fn load(project: &Project) -> Result<Vec<Deviation>> {
    let path = project.root().join("lab/deviations.toml");
    parse(&fs_err::read_to_string(&path)?).with_context(|| path.display().to_string())
}

fn parse(text: &str) -> Result<Vec<Deviation>> {
    let deviations = toml::from_str::<File>(text)?.deviation;
    let mut names = BTreeSet::new();
    for deviation in &deviations {
        let name = &deviation.name;
        ensure!(names.insert(name), "two deviations named `{name}`");
        ensure!(
            !deviation.description.is_empty(),
            "`{name}`: no description"
        );
        for register in &deviation.registers {
            ensure!(
                registers::COLUMNS
                    .iter()
                    .any(|(id, _)| registers::name(*id) == *register),
                "`{name}`: no register is named `{register}`"
            );
        }
    }
    Ok(deviations)
}

/// What is wrong with a host's differences, given those that are meant.
#[derive(Debug, Default)]
pub struct Judgement<'a> {
    pub unexpected: Vec<&'a Difference>,
    pub missing: Vec<&'a Deviation>,
}

pub fn judge<'a>(
    host: &str,
    vectors: &Vectors,
    differences: &'a [Difference],
    deviations: &'a [Deviation],
) -> Judgement<'a> {
    Judgement {
        unexpected: differences
            .iter()
            .filter(|difference| !deviations.iter().any(|d| d.matches(host, difference)))
            .collect(),
        missing: deviations
            .iter()
            .filter(|deviation| deviation.is_expected(host, vectors))
            .filter(|deviation| !differences.iter().any(|d| deviation.matches(host, d)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::compare;

    const FILE: &str = "\
        [[deviation]]\n\
        name = 'D1'\n\
        description = 'frozen'\n\
        hosts = ['n1*']\n\
        setups = ['ran-*']\n\
        registers = ['PSCI_VERSION']\n\
        c = { set = '0' }\n\
        rust = { set = 'EBUSY' }\n";

    fn vectors(setup: &str, set: &str) -> Vectors {
        Vectors::parse(&format!(
            "vectors 1 seed 1 count 1\nrun {setup} 0x6030000000140000 0 1 0x0 {set} 0 same\nend 1"
        ))
        .unwrap()
    }

    /// Numbers of unexpected differences and missing deviations.
    fn count(host: &str, setup: &str, c: &str, rust: &str) -> (usize, usize) {
        let (c, rust) = (vectors(setup, c), vectors(setup, rust));
        let differences = compare(&c, &rust).unwrap();
        let deviations = parse(FILE).unwrap();
        let judgement = judge(host, &c, &differences, &deviations);
        (judgement.unexpected.len(), judgement.missing.len())
    }

    #[test]
    fn exactly_what_is_meant_is_good() {
        assert_eq!(count("n1", "ran-psci", "0", "EBUSY"), (0, 0));
        assert_eq!(count("n1-off", "ran-psci", "0", "EBUSY"), (0, 0));
        assert_eq!(count("a53", "fresh", "0", "0"), (0, 0));
    }

    #[test]
    fn what_is_not_meant_is_unexpected() {
        assert_eq!(count("a53", "ran-psci", "0", "EBUSY"), (1, 0));
        assert_eq!(count("n1", "fresh", "0", "EBUSY"), (1, 0));
        assert_eq!(count("n1", "ran-psci", "0", "EINVAL"), (1, 1));
        assert_eq!(count("n1", "ran-psci", "EBUSY", "0"), (1, 1));
    }

    #[test]
    fn what_is_meant_must_occur_where_it_can() {
        assert_eq!(count("n1", "ran-psci", "0", "0"), (0, 1));
        assert_eq!(count("n1", "fresh", "0", "0"), (0, 0));
        assert_eq!(count("a53", "ran-psci", "0", "0"), (0, 0));
    }

    #[test]
    fn the_file_of_the_project_is_valid() {
        load(&Project::here()).unwrap();
    }

    #[test]
    fn bad_files_are_refused() {
        for (old, new) in [
            ("hosts", "hots"),
            ("PSCI_VERSION", "PSCI"),
            ("ran-*", "ran-***x"),
            ("'frozen'", "''"),
            ("set = '0'", "set = 0"),
            ("setups = ['ran-*']\n", ""),
        ] {
            assert!(parse(&FILE.replace(old, new)).is_err(), "{old:?}");
        }
        assert!(parse(&format!("{FILE}{FILE}")).is_err());
    }
}
