// SPDX-License-Identifier: GPL-2.0

//! What a strict VM does otherwise than a default one, `lab/data/deviations.toml`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{ensure, Context, Result};
use glob::Pattern;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::base::project::Project;
use crate::model::registers;
use crate::model::vectors::{Answer, Difference};

/// One difference that is meant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    pub name: String,
    pub description: String,
    /// In which answers it shows.
    seen: Vec<Sight>,
}

/// One pair of different answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sight {
    setups: Globs,
    /// Names as in the UAPI, without `KVM_REG_ARM_`, or ids.
    registers: Globs,
    default: Side,
    strict: Side,
}

/// The answers to one kind of VM.
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

impl Sight {
    fn matches(&self, difference: &Difference) -> bool {
        let [default, strict] = &difference.answers;
        any_matches(&self.setups, &difference.setup)
            && any_matches(&self.registers, &registers::name(difference.id))
            && self.default.matches(default)
            && self.strict.matches(strict)
    }
}

/// All that are meant.
pub fn load(project: &Project) -> Result<Vec<Deviation>> {
    let path = project.root().join("lab/data/deviations.toml");
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
        ensure!(!deviation.seen.is_empty(), "`{name}`: seen in no answer");
    }
    Ok(deviations)
}

/// Where each deviation was seen, on all hosts.
pub struct Sightings<'a> {
    deviations: &'a [Deviation],
    /// By indices of deviation and sight: vectors, and hosts.
    counts: BTreeMap<(usize, usize), (u64, BTreeSet<String>)>,
}

impl<'a> Sightings<'a> {
    pub fn new(deviations: &'a [Deviation]) -> Self {
        Self {
            deviations,
            counts: BTreeMap::new(),
        }
    }

    /// Takes a host's differences and returns those that are not meant.
    pub fn judge<'d>(&mut self, host: &str, differences: &'d [Difference]) -> Vec<&'d Difference> {
        differences
            .iter()
            .filter(|difference| !self.take(host, difference))
            .collect()
    }

    fn take(&mut self, host: &str, difference: &Difference) -> bool {
        let mut meant = false;
        for (index, deviation) in self.deviations.iter().enumerate() {
            for (sight, _) in deviation
                .seen
                .iter()
                .enumerate()
                .filter(|(_, sight)| sight.matches(difference))
            {
                let (vectors, hosts) = self.counts.entry((index, sight)).or_default();
                *vectors += difference.count;
                hosts.insert(host.to_owned());
                meant = true;
            }
        }
        meant
    }

    /// For each deviation: how often it was seen, or what of it was not.
    pub fn summary(&self) -> Vec<(&'a Deviation, Result<String, String>)> {
        self.deviations
            .iter()
            .enumerate()
            .map(|(index, deviation)| (deviation, self.of(index, deviation)))
            .collect()
    }

    fn of(&self, index: usize, deviation: &Deviation) -> Result<String, String> {
        let (mut vectors, mut hosts) = (0, BTreeSet::new());
        for sight in 0..deviation.seen.len() {
            let (count, on) = self
                .counts
                .get(&(index, sight))
                .ok_or_else(|| format!("number {} in its list occurs on no host", sight + 1))?;
            vectors += count;
            hosts.extend(on);
        }
        Ok(format!("{vectors} vectors on {} hosts", hosts.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vectors::{compare, Vectors};

    const FILE: &str = "\
        [[deviation]]\n\
        name = 'D1'\n\
        description = 'frozen'\n\
        [[deviation.seen]]\n\
        setups = ['ran-*']\n\
        registers = ['PSCI_VERSION']\n\
        default = { set = '0' }\n\
        strict = { set = 'EBUSY' }\n";

    fn vectors(setup: &str, set: &str) -> Vectors {
        Vectors::parse(&format!(
            "vectors 1 seed 1 count 1\nrun {setup} 0x6030000000140000 0 3 0x0 {set} 0 same\nend 3"
        ))
        .unwrap()
    }

    /// The number of unexpected differences, and the summary of the only deviation.
    fn judged(setup: &str, default: &str, strict: &str) -> (usize, Result<String, String>) {
        let differences = compare(&vectors(setup, default), &vectors(setup, strict)).unwrap();
        let deviations = parse(FILE).unwrap();
        let mut sightings = Sightings::new(&deviations);
        let unexpected = sightings.judge("n1", &differences).len();
        sightings.judge("a57", &[]);
        let (_, summary) = sightings.summary().pop().unwrap();
        (unexpected, summary)
    }

    #[test]
    fn exactly_what_is_meant_is_good() {
        let summary = Ok("3 vectors on 1 hosts".to_owned());
        assert_eq!(judged("ran-psci", "0", "EBUSY"), (0, summary));
    }

    #[test]
    fn what_is_not_meant_is_unexpected() {
        assert_eq!(judged("fresh", "0", "EBUSY").0, 1);
        assert_eq!(judged("ran-psci", "0", "EINVAL").0, 1);
        assert_eq!(judged("ran-psci", "EBUSY", "0").0, 1);
    }

    #[test]
    fn what_is_meant_must_occur() {
        let (unexpected, summary) = judged("ran-psci", "0", "0");
        assert_eq!(unexpected, 0);
        assert!(summary.is_err());
    }

    #[test]
    fn the_file_of_the_project_is_valid() {
        let deviations = load(&Project::here()).unwrap();
        let names: Vec<&str> = deviations.iter().map(|d| d.name.as_str()).collect();
        assert_eq!(names, ["D1", "D2", "D3", "D4", "D5"]);
    }

    #[test]
    fn bad_files_are_refused() {
        for (old, new) in [
            ("setups", "setup"),
            ("ran-*", "ran-***x"),
            ("'frozen'", "''"),
            ("set = '0'", "set = 0"),
            ("setups = ['ran-*']\n", ""),
        ] {
            assert!(parse(&FILE.replace(old, new)).is_err(), "{old:?}");
        }
        assert!(parse(&format!("{FILE}{FILE}")).is_err());
        assert!(parse("[[deviation]]\nname = 'D'\ndescription = 'unseen'\n").is_err());
    }
}
