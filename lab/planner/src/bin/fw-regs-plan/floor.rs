// SPDX-License-Identifier: GPL-2.0

//! `fw-regs-plan floor` and `fw-regs-plan pins`: what a new VM is to be given.

use std::io::Write;
use std::path::PathBuf;
use std::slice;

use anyhow::Result;
use clap::Args;
use planner::error::fault;
use planner::reason::Reason;
use planner::registers::{long, name};
use planner::{Dumps, Hosts, Kind, NoFloor, Verdicts};

use crate::give::{give, Format};
use crate::session::Session;
use crate::text;

#[derive(Args)]
pub struct FloorArgs {
    /// Hosts and their offers: files, directories or patterns, as those of `moves`
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub hosts: Vec<PathBuf>,
    /// For VMs from which SSBS is hidden on every host
    #[arg(long)]
    pub ssbs_hidden: bool,
    /// VMs ignore registers that a host does not know where they promise nothing
    #[arg(long)]
    pub null_promises: bool,
    /// For whom
    #[arg(long, value_enum, default_value = "ids")]
    pub format: Format,
    /// Tell people what the lines mean and what hosts offer, instead of the lines
    #[arg(long, conflicts_with = "format")]
    pub explain: bool,
}

#[derive(Args)]
pub struct PinsArgs {
    /// A file with the dump: of any of the forms that `moves` takes
    #[arg(long, value_name = "FILE")]
    pub dump: PathBuf,
    /// Which dump of the file, where it has others
    #[arg(long)]
    pub name: Option<String>,
    /// Hosts and their offers: files, directories or patterns, as those of `moves`
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub hosts: Vec<PathBuf>,
    /// VMs ignore registers that a host does not know where they promise nothing
    #[arg(long)]
    pub null_promises: bool,
    /// For whom
    #[arg(long, value_enum, default_value = "ids")]
    pub format: Format,
}

pub fn floor(out: &mut impl Write, args: &FloorArgs, session: &mut Session) -> Result<()> {
    let kind = Kind {
        psci_0_2: true,
        ssbs_visible: !args.ssbs_hidden,
    };
    let hosts = Hosts::new(session.hosts(&args.hosts)?, &[kind].into());
    let floor = planner::floor(&hosts, kind, args.null_promises);
    let floor = floor.map_err(|none| no_floor(&hosts, &none))?;
    if args.explain {
        text::floor(out, &hosts, &floor)?;
        return Ok(());
    }
    let told = planner::tell(args.format.reader(), &hosts, kind, &floor);
    session.finish();
    give(out, session.err(), args.format, &hosts, &told)?;
    Ok(())
}

pub fn pins(out: &mut impl Write, args: &PinsArgs, session: &mut Session) -> Result<()> {
    let dumps = session.dumps(slice::from_ref(&args.dump))?;
    let dump = choose(&dumps, args)?;
    let hosts = Hosts::new(session.hosts(&args.hosts)?, &[dump.kind].into());
    let pins = planner::pins(&hosts, dump, args.null_promises);
    let pins = pins.map_err(|verdicts| no_pins(&hosts, &verdicts))?;
    let told = planner::tell(args.format.reader(), &hosts, dump.kind, &pins);
    session.finish();
    give(out, session.err(), args.format, &hosts, &told)?;
    Ok(())
}

/// The dump that is meant.
fn choose<'a>(dumps: &'a [Dumps], args: &PinsArgs) -> Result<&'a Dumps> {
    let file = args.dump.display();
    let mut all = dumps.iter();
    let (found, problem) = match &args.name {
        None => (
            all.next().filter(|_| dumps.len() == 1),
            "has dumps that differ".to_owned(),
        ),
        Some(name) => {
            let found = all.find(|dumps| dumps.names.contains(name));
            (found, format!("has no dump named {name}"))
        }
    };
    let example = &dumps[0].names[0];
    let help = format!("name one that it has: --name {example}, for instance");
    found.ok_or_else(|| fault(format!("{file} {problem}"), help))
}

fn no_pins(hosts: &Hosts, verdicts: &Verdicts) -> anyhow::Error {
    let refused = &verdicts.refusals[0];
    let first = hosts.names(hosts.members(refused.offers[0])).next();
    let (id, reason) = (refused.id, Reason::from(refused.reason).text());
    fault(
        format!(
            "no such VM can be on all hosts: {} refuses {} = {}: {reason}",
            first.unwrap_or_default(),
            name(id),
            long(id, refused.value)
        ),
        "leave out the hosts that refuse it, which `fw-regs-plan moves` tells; or take the floor",
    )
}

fn no_floor(hosts: &Hosts, none: &NoFloor) -> anyhow::Error {
    let name = none.register.name();
    let stranger = hosts.names(hosts.members(none.strangers)).next();
    let others = match none.strangers.hosts {
        1 => "does not".to_owned(),
        hosts => format!("and {} more do not", hosts - 1),
    };
    fault(
        format!(
            "there is no floor: {} {others} know {name}, which VMs of other hosts have",
            stranger.unwrap_or_default()
        ),
        if none.can_be_nothing {
            "leave those hosts out; or use --null-promises, if your VMM leaves out what promises \
             nothing or has KVM ignore it"
        } else {
            "leave those hosts out"
        },
    )
}
