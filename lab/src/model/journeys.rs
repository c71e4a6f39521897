// SPDX-License-Identifier: GPL-2.0

//! The journeys of a running VM, as `lab/data/journeys.toml` describes them.

use std::collections::BTreeSet;

use anyhow::{ensure, Context, Result};
use serde::{Deserialize, Serialize};

use crate::base::kernel::Handlers;
use crate::base::project::Project;
use crate::model::page::Firmware;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Journey {
    pub name: String,
    /// What it shows.
    pub story: String,
    /// The two hosts.
    pub from: String,
    pub to: String,
    /// Who serves the pseudo-registers on both, where that is not what each host's own kernel does.
    pub handlers: Option<Handlers>,
    /// Whether every VM on them is strict.
    #[serde(default)]
    pub strict: bool,
    /// QEMU's major version.
    pub qemu: String,
    /// That on the second host, where it is another one.
    pub qemu_to: Option<String>,
    /// QEMU's `-cpu`.
    #[serde(default = "default_cpu")]
    pub cpu: String,
    /// That on the second host, where it is another one.
    pub cpu_to: Option<String>,
    /// Whether `lab check` makes it.
    #[serde(default)]
    pub check: bool,
    /// What must not happen, and is made to happen: `lab check` alone makes it.
    #[serde(default)]
    pub mishap: bool,
    pub hops: Vec<Hop>,
}

fn default_cpu() -> String {
    "host".to_owned()
}

/// What becomes of the VM on a host: it starts on the first, and comes from the last one to each
/// other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hop {
    pub at: Place,
    /// How it comes there.
    #[serde(default)]
    pub by: Way,
    /// What is done there once the guest has written some lines.
    #[serde(default)]
    pub acts: Vec<Act>,
    /// How it shall end there.
    pub expect: Option<Expected>,
}

/// One of the two hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    From,
    To,
}

impl Place {
    pub const ALL: [Self; 2] = [Self::From, Self::To];

    pub fn name(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
        }
    }
}

/// How a VM gets to a host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// It is saved, and a new VM is made of that.
    #[default]
    Stream,
    /// As a snapshot, which is loaded into a VM that runs already.
    Snapshot,
}

/// As `lab/guest/vm` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    Reset,
    Snapshot,
    /// QEMU is killed.
    Die,
    /// The guest stops.
    Hang,
    /// Half of the stream is lost on the way to the next host.
    Cut,
}

impl Act {
    /// None for what is not done on a host.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Reset => Some("reset"),
            Self::Snapshot => Some("snapshot"),
            Self::Die => Some("die"),
            Self::Hang => Some("hang"),
            Self::Cut => None,
        }
    }
}

/// How a hop ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// The guest goes on, and is told this in each line.
    Told(Firmware),
    /// The VM is refused for the sake of these registers.
    Refused(Vec<String>),
    /// It fails, with an error that has this text.
    Fails(String),
}

/// All journeys, in the order of the file.
pub fn load(project: &Project) -> Result<Vec<Journey>> {
    let path = project.root().join("lab/data/journeys.toml");
    parse(&fs_err::read_to_string(&path)?).with_context(|| path.display().to_string())
}

fn parse(text: &str) -> Result<Vec<Journey>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        journey: Vec<Journey>,
    }
    let journeys = toml::from_str::<File>(text)?.journey;
    let mut names = BTreeSet::new();
    for journey in &journeys {
        let name = &journey.name;
        ensure!(names.insert(name), "two journeys named `{name}`");
        journey.check().with_context(|| format!("journey {name}"))?;
        let is_told = journey.hops.iter().all(|hop| hop.expect.is_some());
        ensure!(is_told, "journey {name}: each hop has `expect`");
    }
    Ok(journeys)
}

impl Journey {
    /// There and back, with nothing expected.
    pub fn between(from: &str, to: &str, qemu: &str, cpu: Option<&str>, strict: bool) -> Self {
        let hop = |at| Hop {
            at,
            by: Way::default(),
            acts: Vec::new(),
            expect: None,
        };
        Self {
            name: format!("{from}-{to}"),
            story: "there and back".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            handlers: None,
            strict,
            qemu: qemu.to_owned(),
            qemu_to: None,
            cpu: cpu.map_or_else(default_cpu, str::to_owned),
            cpu_to: None,
            check: false,
            mishap: false,
            hops: [Place::From, Place::To, Place::From].map(hop).into(),
        }
    }

    /// Whether it can be made.
    pub fn check(&self) -> Result<()> {
        // Names become parts of file names.
        let is_word = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        ensure!(
            !self.name.is_empty() && self.name.chars().all(is_word),
            "a journey's name has letters, digits, `-` and `.` only"
        );
        // It becomes a word of a shell.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.,=_".contains(c);
        for cpu in Place::ALL.map(|place| self.cpu_at(place)) {
            ensure!(
                !cpu.is_empty() && cpu.chars().all(is_plain),
                "`{cpu}` is no -cpu of QEMU's"
            );
        }
        let strict_c = self.strict && self.handlers == Some(Handlers::C);
        ensure!(!strict_c, "the C handlers have no strict VMs");
        let first = self.hops.first().map(|hop| hop.at);
        ensure!(first == Some(Place::From), "the first hop is at `from`");
        let pairs = self.hops.windows(2);
        for pair in pairs {
            ensure!(pair[0].at != pair[1].at, "a hop leads to the other host");
            let goes_on = matches!(pair[0].expect, None | Some(Expected::Told(_)));
            ensure!(goes_on, "a hop that ends the journey is the last one");
        }
        Ok(())
    }

    pub fn host_at(&self, place: Place) -> &str {
        match place {
            Place::From => &self.from,
            Place::To => &self.to,
        }
    }

    /// QEMU's `-cpu` there.
    pub fn cpu_at(&self, place: Place) -> &str {
        match place {
            Place::From => &self.cpu,
            Place::To => self.cpu_to.as_ref().unwrap_or(&self.cpu),
        }
    }

    /// QEMU's major version there.
    pub fn qemu_at(&self, place: Place) -> &str {
        match place {
            Place::From => &self.qemu,
            Place::To => self.qemu_to.as_ref().unwrap_or(&self.qemu),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::hosts;

    const GOOD: &str = "[[journey]]\nname = 'a'\nstory = 'b'\nfrom = 'c'\nto = 'd'\nqemu = '11'\n\
                        hops = [{at = 'from', expect = {told = '1.3 0/0/0'}}, {at = 'to', expect = {refused = ['x']}}]\n";

    #[test]
    fn the_journeys_of_the_project_are_between_its_hosts() {
        let hosts = hosts::load(&Project::here()).unwrap();
        for journey in load(&Project::here()).unwrap() {
            for name in [&journey.from, &journey.to] {
                hosts::find(&hosts, name).unwrap();
            }
        }
    }

    #[test]
    fn one_of_ones_own_goes_there_and_back() {
        let journey = Journey::between("n1", "a76", "11", None, true);
        journey.check().unwrap();
        let way: Vec<&str> = journey
            .hops
            .iter()
            .map(|hop| journey.host_at(hop.at))
            .collect();
        assert_eq!(way, ["n1", "a76", "n1"]);
    }

    #[test]
    fn bad_files_are_refused() {
        assert_eq!(parse(GOOD).unwrap()[0].hops.len(), 2);
        let cases = [
            ("name = 'a'", "name = 'a b'", "letters, digits"),
            ("qemu", "word = 1\nqemu", "unknown field `word`"),
            (
                "qemu",
                "strict = true\nhandlers = 'c'\nqemu",
                "no strict VMs",
            ),
            ("qemu", "cpu = 'a;b'\nqemu", "no -cpu"),
            ("at = 'from'", "at = 'to'", "the first hop"),
            ("at = 'to'", "at = 'from'", "the other host"),
            ("told = '1.3 0/0/0'", "refused = []", "is the last one"),
            ("told = '1.3 0/0/0'", "told = '1.3'", "not of the form"),
            (", expect = {refused = ['x']}", "", "has `expect`"),
            ("refused = ['x']", "refused = ['x'], fails = 'y'", ""),
            ("refused = ['x']", "refusal = ['x']", ""),
        ];
        for (old, new, message) in cases {
            let text = GOOD.replacen(old, new, 1);
            assert_ne!(text, GOOD, "{old:?}");
            let error = format!("{:#}", parse(&text).unwrap_err());
            assert!(error.contains(message), "{new:?}: {error}");
        }
        let twice = format!("{GOOD}{GOOD}");
        assert!(parse(&twice)
            .unwrap_err()
            .to_string()
            .contains("two journeys"));
    }
}
