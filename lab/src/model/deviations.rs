// SPDX-License-Identifier: GPL-2.0

//! What a strict VM does otherwise than a default one, `lab/data/deviations.toml`.

use std::collections::BTreeSet;

use anyhow::{bail, Context, Result};
use glob::Pattern;
use serde::Deserialize;

use crate::base::project::Project;
use crate::model::registers;
use crate::model::vectors::{Difference, SetGet};

/// One difference that is meant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    pub name: String,
    pub description: String,
    seen: Vec<Sight>,
}

/// One pair of different answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sight {
    setups: Vec<String>,
    /// Names as in the UAPI, without `KVM_REG_ARM_`, or ids.
    registers: Vec<String>,
    default: SetGetGlobs,
    strict: SetGetGlobs,
    /// How many vectors are answered so, and on which hosts.
    #[serde(skip)]
    vectors: u64,
    #[serde(skip)]
    hosts: BTreeSet<String>,
}

/// The answers to one kind of VM.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetGetGlobs {
    set: Option<String>,
    get: Option<String>,
    read: Option<String>,
}

fn matches(glob: &str, text: &str) -> bool {
    Pattern::new(glob).is_ok_and(|pattern| pattern.matches(text))
}

impl SetGetGlobs {
    fn matches(&self, answer: &SetGet) -> bool {
        let globs = [&self.set, &self.get, &self.read];
        let texts = [&answer.set, &answer.get, &answer.read];
        let mut pairs = globs.into_iter().zip(texts);
        pairs.all(|(glob, text)| glob.as_ref().is_none_or(|glob| matches(glob, text)))
    }
}

impl Sight {
    fn matches(&self, difference: &Difference) -> bool {
        let any = |globs: &[String], text: &str| globs.iter().any(|glob| matches(glob, text));
        let [default, strict] = &difference.answers;
        any(&self.setups, &difference.setup)
            && any(&self.registers, &registers::name(difference.id))
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
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        deviation: Vec<Deviation>,
    }
    Ok(toml::from_str::<File>(text)?.deviation)
}

/// Notes a host's difference where it is meant. Returns whether it is.
pub fn is_meant(deviations: &mut [Deviation], host: &str, difference: &Difference) -> bool {
    let mut meant = false;
    let sights = deviations.iter_mut().flat_map(|it| &mut it.seen);
    for sight in sights.filter(|sight| sight.matches(difference)) {
        sight.vectors += difference.count;
        sight.hosts.insert(host.to_owned());
        meant = true;
    }
    meant
}

impl Deviation {
    /// How often it occurred, all of which must have.
    pub fn summary(&self) -> Result<String> {
        let absent = self.seen.iter().position(|sight| sight.hosts.is_empty());
        if let Some(index) = absent {
            bail!("number {} in its list occurs on no host", index + 1);
        }
        let vectors: u64 = self.seen.iter().map(|sight| sight.vectors).sum();
        let hosts: BTreeSet<&String> = self.seen.iter().flat_map(|sight| &sight.hosts).collect();
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
        let mut deviations = parse(FILE).unwrap();
        let unexpected = differences
            .iter()
            .filter(|difference| !is_meant(&mut deviations, "n1", difference))
            .count();
        let summary = deviations[0].summary().map_err(|error| error.to_string());
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
        for deviation in deviations {
            assert!(!deviation.description.is_empty() && !deviation.seen.is_empty());
            for Sight {
                setups,
                registers,
                default,
                strict,
                ..
            } in deviation.seen
            {
                let sides = [default, strict].map(|side| [side.set, side.get, side.read]);
                let globs = setups.into_iter().chain(registers);
                let mut globs = globs.chain(sides.into_iter().flatten().flatten());
                assert!(globs.all(|glob| Pattern::new(&glob).is_ok()));
            }
        }
    }

    #[test]
    fn bad_files_are_refused() {
        for (old, new) in [
            ("setups", "setup"),
            ("set = '0'", "set = 0"),
            ("setups = ['ran-*']\n", ""),
        ] {
            assert!(parse(&FILE.replace(old, new)).is_err(), "{old:?}");
        }
        assert!(parse("[[deviation]]\nname = 'D'\ndescription = 'unseen'\n").is_err());
    }
}
