// SPDX-License-Identifier: GPL-2.0

//! The host tool behind the Makefile.

mod boot;
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
}

fn main() -> anyhow::Result<()> {
    let project = project::Project::here();
    match Cli::parse().command {
        Command::Run => run::run(&project),
    }
}
