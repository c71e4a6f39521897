// SPDX-License-Identifier: GPL-2.0

//! The host tool behind the Makefile.

mod boot;
mod check;
mod console;
mod deviations;
mod dump;
mod hosts;
mod initramfs;
mod job;
mod ktap;
mod prepare;
mod project;
mod qemu;
mod registers;
mod results;
mod run;
mod ui;
mod vectors;
mod vmm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about, version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Boot every host, save and restore VMs between all of them, and show who accepted what
    Run,
    /// Verify everything that can be verified
    Check {
        /// Only these steps
        #[arg(long, value_enum, value_delimiter = ',')]
        only: Vec<check::Step>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            ui::say(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Returns whether all is well; what is not has been told then.
fn run(command: Command) -> anyhow::Result<bool> {
    let project = project::Project::here();
    match command {
        Command::Run => run::run(&project).map(|()| true),
        Command::Check { only } => check::check(&project, &only),
    }
}
