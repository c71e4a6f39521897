// SPDX-License-Identifier: GPL-2.0

//! The host tool behind the Makefile.

mod ask;
mod base;
mod boot;
mod build;
mod command;
mod get;
mod judge;
mod model;
mod report;
mod series;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use base::kernel::{Handlers, Kernel, Variant};
use base::project::Project;
use base::version::Version;
use base::{error, process, progress};
use build::{kernel, tree, Built};
use command::{check, jobs, matrix, migrate, sanitize, series_check, shell};
use get::Purpose;
use model::{hosts, results::Format};
use verify::{bench, fuzz, mutants, prove};

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

#[derive(Args)]
struct Choice {
    /// Boot these hosts of lab/data/hosts.toml alone, where all are booted
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    hosts: Vec<String>,
}

impl Choice {
    fn made(self, project: Project) -> Result<Project> {
        let project = project.with_hosts(self.hosts);
        hosts::chosen(&project)?;
        Ok(project)
    }
}

#[derive(Subcommand)]
enum Command {
    /// Get the tools that all commands need
    Setup,
    /// Get the kernel's source and put the component into it
    Tree,
    /// Build the kernels, with the handlers in Rust and in C
    Kernel {
        /// Build this one with the handlers in Rust instead
        #[arg(long, value_enum)]
        variant: Option<Variant>,
    },
    /// Boot every host, move VMs between all of them and back, and show who accepted what and why
    Run(Choice),
    /// Do the same and make the fleet report: out/matrix.html and out/matrix.json
    Matrix(Choice),
    /// Move a running VM of a real VMM from host to host and back
    Migrate(migrate::Migrate),
    /// Count the instructions of each access, with the handlers in Rust and in C
    Bench {
        /// Record what `check` compares with from now on: lab/data/bench.toml
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
        only: Vec<check::Check>,
        #[command(flatten)]
        choice: Choice,
        /// One JSON object for each case, instead of text
        #[arg(long)]
        json: bool,
    },
    /// Run the selftests, and move VMs, in kernels that look for mistakes while they run
    Sanitize(sanitize::Sanitize),
    /// Run the component beside a model of the laws, with inputs from a fuzzer
    Fuzz(fuzz::Fuzz),
    /// Change the component's source in small ways, and see whether its tests notice
    Mutants,
    /// Make patches for the kernel's mailing lists: out/series
    Series(series::Series),
    /// Take the series into a pristine tree, build each patch, boot each part and run its tests
    SeriesCheck,
    /// Make jobs for a test engine, LAVA or tuxrun: out/jobs
    Jobs(jobs::Jobs),
    /// Read what a test engine has recorded: LAVA's log, a console, or KTAP
    Results {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// The exit status is 1 where a check failed, and 2 where the tool could not do its work.
fn main() -> ExitCode {
    process::end_with_terminal();
    ExitCode::from(match run(Cli::parse()) {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(error) => {
            progress::say(error::render(&error));
            match error.is::<error::Broken>() {
                true => 1,
                false => 2,
            }
        }
    })
}

/// Carries a command out. `false` if a check failed, and the command has told that already.
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
        Command::Setup => drop(get::ensure(&project, &Purpose::ALL)?),
        Command::Tree => progress::say(tree::ensure(&project)?.display().to_string()),
        Command::Kernel { variant } => {
            let tools = get::ensure(&project, &[])?;
            let tree = tree::ensure(&project)?;
            let kernels: Vec<Kernel> = match variant {
                Some(variant) => vec![variant.into()],
                None => Handlers::ALL.map(Kernel::from).into(),
            };
            match variant {
                Some(variant) => kernel::ensure_one(&project, &tools, &tree, variant)?,
                None => kernel::ensure(&project, &tools, &tree)?,
            }
            for kernel in kernels {
                progress::say(project.image(kernel).display().to_string());
            }
        }
        Command::Run(choice) => command::run::run(&choice.made(project)?)?,
        Command::Shell(shell) => shell::run(&project, shell)?,
        Command::Matrix(choice) => matrix::run(&choice.made(project)?)?,
        Command::Migrate(migrate) => migrate::run(&project, migrate)?,
        Command::Bench { record } => {
            let built = Built::for_check(&project, get::ensure(&project, &[])?)?;
            return bench::run(&project, &built.tools, record);
        }
        Command::Prove(prove) => return prove::run(&project, &prove),
        Command::Sanitize(sanitize) => return sanitize::run(&project, &sanitize),
        Command::Fuzz(fuzz) => return fuzz::run(&project, &fuzz),
        Command::Mutants => return mutants::run(&project),
        Command::Series(series) => series::run(&project, &series)?,
        Command::SeriesCheck => return series_check::run(&project),
        Command::Jobs(args) => jobs::run(&project, &args)?,
        Command::Results { files } => return jobs::results(&files),
        Command::Check { only, choice, json } => {
            let format = if json { Format::Json } else { Format::Text };
            return check::check(&choice.made(project)?, &only, format);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use regex::Regex;

    /// The folders of this tool: each uses those before it, and none behind.
    const FOLDERS: [&str; 11] = [
        "base", "model", "get", "build", "boot", "ask", "judge", "report", "verify", "series",
        "command",
    ];

    #[test]
    fn folders_use_only_what_is_above_them() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let import = Regex::new(r"crate::([a-z]+)").unwrap();
        let (mut files, mut broken) = (0, Vec::new());
        for path in glob::glob(&format!("{}/**/*.rs", src.display())).unwrap() {
            let path = path.unwrap();
            let name = path.strip_prefix(&src).unwrap();
            let folder = name.iter().next().unwrap().to_str().unwrap();
            let folder = folder.trim_end_matches(".rs");
            if folder == "main" {
                continue;
            }
            let place = |folder: &str| FOLDERS.iter().position(|found| *found == folder);
            let own = place(folder).unwrap_or_else(|| panic!("{folder} is in no order"));
            let text = fs_err::read_to_string(&path).unwrap();
            for found in import.captures_iter(&text) {
                if place(&found[1]).is_none_or(|used| used > own) {
                    broken.push(format!("{} uses {}", name.display(), &found[1]));
                }
            }
            files += 1;
        }
        assert!(files > 100, "{files} files were seen");
        assert_eq!(broken, [""; 0]);
    }
}
