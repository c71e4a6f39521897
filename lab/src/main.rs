// SPDX-License-Identifier: GPL-2.0

//! The host tool behind the Makefile.

mod disk;
mod fault;
mod kernel;
mod process;
mod project;
mod selftests;
mod setup;
mod tree;
mod ui;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use project::Project;

#[derive(Parser)]
#[command(about, version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Work on a copy of this kernel tree instead of Debian's source
    #[arg(long, global = true, value_name = "PATH")]
    kdir: Option<PathBuf>,
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
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui::say(fault::render(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let mut project = Project::here();
    if let Some(kdir) = &cli.kdir {
        project = project.with_kdir(kdir)?;
    }
    match cli.command {
        Command::Setup => setup::ensure(&project).map(drop),
        Command::Tree => tree::ensure(&project).map(drop),
        Command::Kernel => kernel::run(&project),
        Command::Selftests => selftests::run(&project),
    }
}
