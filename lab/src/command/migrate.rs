// SPDX-License-Identifier: GPL-2.0

//! `lab migrate`: moves a running VM of a real VMM from host to host and back, and tells how it
//! fared.

use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::ask::migrate;
use crate::base::disk::write_whole;
use crate::base::error::{fault, Help};
use crate::base::progress::say;
use crate::base::project::Project;
use crate::build::Built;
use crate::get;
use crate::judge::travels;
use crate::model::hosts;
use crate::model::journeys::{self, Journey, Place};
use crate::report::{page, terminal};

/// The report for programs, below the tree's folder, and that for people.
const JSON: &str = "migrate.json";
const PAGE: &str = "migrate.html";

/// QEMU's major version on a journey of one's own.
const QEMU: &str = "11";

#[derive(Args)]
pub struct Migrate {
    /// Only these journeys of lab/data/journeys.toml
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        conflicts_with = "from"
    )]
    only: Vec<String>,
    /// One of your own instead, from this host of lab/data/hosts.toml
    #[arg(long, value_name = "HOST", requires = "to")]
    from: Option<String>,
    /// to that one, and back
    #[arg(long, value_name = "HOST", requires = "from")]
    to: Option<String>,
    /// QEMU's major version there, 10 or 11
    #[arg(long, value_name = "VERSION", requires = "from")]
    qemu: Option<String>,
    /// QEMU's -cpu there, such as host,kvm-psci-version=1.1
    #[arg(long, requires = "from")]
    cpu: Option<String>,
    /// That on the second host, where it is another one
    #[arg(long, requires = "to")]
    cpu_to: Option<String>,
    /// All VMs are strict there
    #[arg(long, requires = "from")]
    strict: bool,
}

/// # Errors
///
/// What is not as it is expected, after it has been reported.
pub fn run(project: &Project, migrate: Migrate) -> Result<()> {
    let journeys = chosen(journeys::load(project)?, migrate)?;
    // Before anything is built for it.
    let hosts = hosts::load(project)?;
    for journey in &journeys {
        for place in Place::ALL {
            hosts::find(&hosts, journey.host_at(place))
                .help("name a host of that file, or add it there")?;
        }
    }
    let _built = Built::for_run(project, get::ensure(project, &[])?)?;
    let start = Instant::now();
    let travels = migrate::travel(project, journeys)?;
    terminal::print_travels(&travels)?;
    for (name, text) in [
        (JSON, serde_json::to_string_pretty(&travels)?),
        (PAGE, page::travels::render(&travels)?),
    ] {
        let file = project.base().join(name);
        write_whole(&file, text.as_bytes())?;
        say(file.display().to_string());
    }
    say(format!("took {} s", start.elapsed().as_secs()));
    travels::check(&travels)
}

/// Those of all journeys that were asked for: without those in which something is made to fail.
fn chosen(mut all: Vec<Journey>, migrate: Migrate) -> Result<Vec<Journey>> {
    if let (Some(from), Some(to)) = (&migrate.from, &migrate.to) {
        let qemu = migrate.qemu.as_deref().unwrap_or(QEMU);
        let cpu = migrate.cpu.as_deref();
        let mut journey = Journey::between(from, to, qemu, cpu, migrate.strict);
        journey.cpu_to = migrate.cpu_to;
        journey.check()?;
        return Ok(vec![journey]);
    }
    for name in &migrate.only {
        if all.iter().all(|journey| journey.name != *name) {
            let names: Vec<&str> = all.iter().map(|journey| &*journey.name).collect();
            return Err(fault(
                format!("lab/data/journeys.toml has no journey `{name}`"),
                format!("it has {}", names.join(", ")),
            ));
        }
    }
    all.retain(|journey| match &*migrate.only {
        [] => !journey.mishap,
        names => names.contains(&journey.name),
    });
    Ok(all)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        migrate: Migrate,
    }

    fn names(args: &[&str]) -> Result<Vec<String>> {
        let line = Line::try_parse_from(["migrate"].iter().chain(args))?;
        let all = journeys::load(&Project::here())?;
        let chosen = chosen(all, line.migrate)?.into_iter();
        Ok(chosen.map(|journey| journey.name).collect())
    }

    #[test]
    fn mishaps_are_made_where_they_are_asked_for_only() {
        let all = names(&[]).unwrap();
        assert!(all.contains(&"strict".to_owned()) && !all.contains(&"die".to_owned()));
        assert_eq!(names(&["--only", "die,c"]).unwrap(), ["c", "die"]);
        assert!(names(&["--only", "none"]).is_err());
    }

    #[test]
    fn one_of_ones_own_needs_two_hosts() {
        let both = ["--from", "n1", "--to", "a76"];
        assert_eq!(names(&both).unwrap(), ["n1-a76"]);
        assert!(names(&both[..2]).is_err() && names(&["--strict"]).is_err());
        assert!(names(&[&both[..], &["--cpu", "a b"]].concat()).is_err());
    }
}
