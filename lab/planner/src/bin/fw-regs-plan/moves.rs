// SPDX-License-Identifier: GPL-2.0

//! `fw-regs-plan moves`: which hosts accept each dump.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use planner::{Dumps, Hosts, Question, Verdicts};

use crate::session::Session;
use crate::{json, text};

#[derive(Args)]
pub struct MovesArgs {
    /// Hosts and their offers: files, directories or patterns of JSON Lines, matrix.json, or fresh VMs
    /// as Firecracker's fingerprints or `fw_regs_vmm dump` show them
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub hosts: Vec<PathBuf>,
    /// Dumps: the same forms
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub dumps: Vec<PathBuf>,
    #[command(flatten)]
    pub how: AnswerArgs,
}

/// How answers are asked for, and told.
#[derive(Args)]
#[cfg_attr(test, derive(Default))]
pub struct AnswerArgs {
    /// Name all hosts, VMs and offers, however many there are
    #[arg(long)]
    pub all: bool,
    /// Print JSON Lines, for programs
    #[arg(long)]
    pub json: bool,
    /// VMs ignore registers that a host does not know where they promise nothing
    #[arg(long)]
    pub null_promises: bool,
}

/// How it went with all dumps.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub dumps: usize,
    pub different_dumps: usize,
    pub hosts: usize,
    pub different_hosts: usize,
    pub accepted: usize,
    /// Dumps that no host accepts.
    pub nowhere: usize,
}

pub fn moves(out: &mut impl Write, args: &MovesArgs, session: &mut Session) -> Result<()> {
    let how = &args.how;
    let (hosts, dumps) = (session.hosts(&args.hosts)?, session.dumps(&args.dumps)?);
    let hosts = Hosts::new(hosts, &Dumps::kinds(&dumps));

    let mut tally = Tally {
        hosts: hosts.count(),
        different_hosts: hosts.groups().len(),
        different_dumps: dumps.len(),
        ..Tally::default()
    };
    let question = Question {
        null_promises: how.null_promises,
        most: if how.all { usize::MAX } else { text::MOST },
    };
    session.begin_answers(dumps.len());
    for dumps in &dumps {
        session.answered();
        let verdicts = Verdicts::new(&hosts, dumps, question);
        match how.json {
            true => json::moves(out, &hosts, dumps, &verdicts, how.all)?,
            false => text::moves(out, &hosts, dumps, &verdicts, how.all)?,
        }
        let count = dumps.names.len();
        tally.dumps += count;
        tally.accepted += count * verdicts.hosts;
        tally.nowhere += if verdicts.hosts == 0 { count } else { 0 };
    }
    session.finish();
    if !how.json {
        text::tally(out, &tally)?;
    }
    Ok(())
}
