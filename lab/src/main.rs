// SPDX-License-Identifier: GPL-2.0

//! The host tool behind the Makefile.

mod bench;
mod boot;
mod browser;
mod check;
mod console;
mod deviations;
mod discovery;
mod disk;
mod dump;
mod fault;
mod firmware;
mod fleet;
mod fuzz;
mod groups;
mod hosts;
mod initramfs;
mod job;
mod kernel;
mod ktap;
mod matrix;
mod mistakes;
mod mutants;
mod plan;
mod prepare;
mod process;
mod project;
mod prove;
mod qemu;
mod registers;
mod results;
mod run;
mod selftests;
mod series;
mod setup;
mod shell;
mod trace;
mod tree;
mod ui;
mod vectors;
mod vmm;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use project::Project;
use setup::version::Version;

#[derive(Parser)]
#[command(about, version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Work on a copy of this kernel tree instead of Debian's source
    #[arg(long, global = true, value_name = "PATH")]
    kdir: Option<PathBuf>,
    /// Work on Debian's source of this series, such as 7.2, instead of the newest
    #[arg(long, global = true, value_name = "SERIES", conflicts_with = "kdir")]
    kernel: Option<Version>,
}

#[derive(Subcommand)]
enum Command {
    /// Get the tools that building and booting need
    Setup,
    /// Get the kernel's source and put the component into it
    Tree,
    /// Build the kernels, with the handlers in Rust and in C
    Kernel,
    /// Build KVM's selftests, upstream's and ours
    Selftests,
    /// Boot every host, move VMs between all of them and back, and show who accepted what and why
    Run,
    /// Do the same and make the fleet report: out/matrix.html and out/matrix.json
    Matrix,
    /// Count the instructions of each access, with the handlers in Rust and in C
    Bench {
        /// Record what `check` compares with from now on: lab/bench.toml
        #[arg(long)]
        record: bool,
    },
    /// Prove that the compiled handlers do what lab/prove/spec.toml says, for all inputs
    Prove(prove::Prove),
    /// Boot a host with the terminal at its shell
    Shell(shell::Shell),
    /// Verify everything that can be verified
    Check {
        /// Only these steps
        #[arg(long, value_enum, value_delimiter = ',')]
        only: Vec<check::Step>,
    },
    /// Run the component beside a model of the laws, with inputs from a fuzzer
    Fuzz(fuzz::Fuzz),
    /// Change the component's source in small ways, and see whether its tests notice
    Mutants(mutants::Mutants),
    /// Make patches for the kernel's mailing lists: out/series
    Series(series::Series),
    /// Take the series into a pristine tree, build each step, boot the last one and run the selftests
    SeriesCheck,
    /// Tell without booting where VMs can move to, and what new VMs may be given
    #[command(subcommand)]
    Plan(plan::Plan),
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            ui::say(fault::render(&error));
            ExitCode::FAILURE
        }
    }
}

/// Carries a command out. `false` if it came to a bad end that it has told already.
fn run(cli: Cli) -> Result<bool> {
    let mut project = Project::here();
    if let Some(kdir) = &cli.kdir {
        project = project.with_kdir(kdir)?;
        // Before anything is written for it.
        tree::refuse_kdir(&project, kdir)?;
    }
    if let Some(series) = cli.kernel {
        tree::refuse_unsupported(&project, "--kernel", series)?;
        project = project.with_series(series);
    }
    match cli.command {
        Command::Setup => setup::ensure(&project).map(drop)?,
        Command::Tree => tree::ensure(&project).map(drop)?,
        Command::Kernel => kernel::run(&project)?,
        Command::Selftests => selftests::run(&project)?,
        Command::Run => run::run(&project)?,
        Command::Shell(shell) => shell::run(&project, shell)?,
        Command::Matrix => matrix::run(&project)?,
        Command::Bench { record } => return bench::run(&project, record),
        Command::Prove(prove) => return prove::run(&project, &prove),
        Command::Fuzz(fuzz) => return fuzz::run(&project, &fuzz),
        Command::Mutants(mutants) => return mutants::run(&project, &mutants),
        Command::Series(series) => series::run(&project, &series)?,
        Command::SeriesCheck => return series::build::run(&project),
        Command::Plan(plan) => return plan::run(plan),
        Command::Check { only } => return check::check(&project, &only),
    }
    Ok(true)
}
