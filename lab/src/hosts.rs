// SPDX-License-Identifier: GPL-2.0

//! The emulated hosts, as `lab/hosts.toml` describes them.

use std::collections::BTreeSet;

use anyhow::{ensure, Context, Result};
use serde::Deserialize;

use crate::project::Project;

/// A machine that QEMU emulates, with what decides about the promises it can make.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    pub name: String,
    /// QEMU's `-cpu`.
    pub cpu: String,
    /// What the kernel's command line has in addition to what every host has.
    #[serde(default)]
    pub cmdline: String,
    /// In MiB.
    #[serde(default = "default_memory")]
    pub memory: u32,
    #[serde(default = "default_cpus")]
    pub cpus: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    host: Vec<Host>,
}

fn default_memory() -> u32 {
    512
}

fn default_cpus() -> u32 {
    1
}

/// All hosts, in the order of the file.
pub fn load(project: &Project) -> Result<Vec<Host>> {
    let path = project.root().join("lab/hosts.toml");
    parse(&fs_err::read_to_string(&path)?).with_context(|| path.display().to_string())
}

/// The host of that name.
pub fn find<'a>(hosts: &'a [Host], name: &str) -> Result<&'a Host> {
    hosts
        .iter()
        .find(|host| host.name == name)
        .with_context(|| format!("lab/hosts.toml has no host `{name}`"))
}

fn parse(text: &str) -> Result<Vec<Host>> {
    let hosts = toml::from_str::<File>(text)?.host;

    ensure!(!hosts.is_empty(), "no hosts");

    let mut names = BTreeSet::new();
    for host in &hosts {
        // Names become words of the console protocol and parts of file names.
        ensure!(
            !host.name.is_empty()
                && host
                    .name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)),
            "`{}`: a host's name has letters, digits, `-` and `.` only",
            host.name
        );
        ensure!(names.insert(&host.name), "two hosts named `{}`", host.name);
    }
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_project_is_valid() {
        let hosts = load(&Project::here()).unwrap();
        assert!(hosts.len() >= 7);
    }

    #[test]
    fn defaults_fill_what_is_not_said() {
        let hosts = parse("[[host]]\nname = 'a'\ncpu = 'max'").unwrap();
        assert_eq!(hosts[0].memory, 512);
        assert_eq!(hosts[0].cpus, 1);
        assert_eq!(hosts[0].cmdline, "");
    }

    #[test]
    fn bad_files_are_refused() {
        let host = "[[host]]\nname = 'a'\ncpu = 'max'\n";
        let cases = [
            ("", "missing field `host`"),
            ("host = []", "no hosts"),
            (&format!("{host}cpuz = 1"), "unknown field `cpuz`"),
            (&format!("{host}{host}"), "two hosts named `a`"),
            ("[[host]]\nname = 'a'", "missing field `cpu`"),
            ("[[host]]\nname = 'a b'\ncpu = 'max'", "letters, digits"),
        ];

        for (text, message) in cases {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(message), "{text:?}: {error}");
        }
    }
}
