// SPDX-License-Identifier: GPL-2.0

//! `lab bench`: what each access to a pseudo-register costs, with either kernel side by side.
//!
//! The hosts' clock counts instructions, so that a figure is the same in each run and on each
//! machine, for the same kernel from the same compiler.

mod costs;
mod goal;
mod plot;
mod record;
mod sizes;
mod table;

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use serde_json::json;

use crate::base::disk::write_whole;
use crate::base::process::{command, output};
use crate::base::progress::say;
use crate::base::project::{Handlers, Project};
use crate::boot::job::Job;
use crate::boot::{Boot, Booter};
use crate::build::kernel::{config, make::Kbuild};
use crate::get::Toolchain;
use crate::model::hosts::{self, Host};
use crate::model::results::{Case, Outcome};
use costs::Costs;
use goal::{STRICT, TRACED};
use record::{MadeWith, Record};
use sizes::Sizes;

const HOST: &str = "n1";

/// Measurements of threads need some CPUs, and all others are disturbed by them.
const CPUS: u32 = 4;

/// In MiB: as many vCPUs as a VM can have.
const MEMORY: u32 = 1024;

pub const PROGRAM: &str = "fw_regs_perf_test";

const EVENT: &str = "/sys/kernel/tracing/events/kvm/kvm_arm_fw_reg_set/enable";

/// What an access that KVM does not have costs: the way there and back.
const FLOOR: &str = "unknown-ioctl";

const LIMIT: Duration = Duration::from_secs(300);

const JSON: &str = "bench.json";
const SVG: &str = "bench.svg";

/// What was measured.
struct Bench {
    c: Kernel,
    rust: Kernel,
}

/// What was measured of one kernel.
struct Kernel {
    costs: Costs,
    sizes: Sizes,
    /// In thousands of instructions.
    boot: u64,
}

/// What is measured on a host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Single accesses.
    Accesses,
    /// These, all vCPUs and threads.
    All,
}

/// Measures all, writes it to files and prints it. With `record`, it is what `lab check` compares
/// with from now on. Returns whether Rust stays in its bounds.
pub fn run(project: &Project, tools: &Toolchain, record: bool) -> Result<bool> {
    let [of_c, of_rust] = sizes::of_both(project, tools)?;
    let kernel = |handlers, sizes| {
        let (costs, boot) = measure(project, handlers, Extent::All)?;
        anyhow::Ok(Kernel { costs, sizes, boot })
    };
    let bench = Bench {
        c: kernel(Handlers::C, of_c)?,
        rust: kernel(Handlers::Rust, of_rust)?,
    };
    anstream::print!("{}", table::text(&bench)?);

    let made_with = made_with(project, tools)?;
    let rows = goal::rows(&bench.c.costs, &bench.rust.costs)?;
    write_whole(&project.base().join(SVG), plot::svg(&rows)?.as_bytes())?;
    write_whole(
        &project.base().join(JSON),
        bench.to_json(&made_with)?.as_bytes(),
    )?;
    if record {
        let accesses = bench.rust.costs.clone().only(record::is_recorded);
        Record::new(made_with, &accesses).save(project)?;
    }
    for file in [SVG, JSON] {
        say(project.base().join(file).display().to_string());
    }
    let mut cases = goal::flat(&bench.rust.costs);
    cases.extend(goal::each(&bench.c.costs, &bench.rust.costs)?);
    cases.push(goal::sum(&bench.c.costs, &bench.rust.costs)?);
    cases.push(goal::text(&bench.c.sizes, &bench.rust.sizes));
    let mut good = true;
    for case in cases {
        if let Outcome::Fail(cause) = case.outcome {
            say(format!("too much: {}: {cause}", case.name));
            good = false;
        }
    }
    Ok(good)
}

/// Single accesses: within the bounds that C sets, and none more than was recorded with this kernel
/// and these tools.
pub fn check(project: &Project, tools: &Toolchain) -> Result<Vec<(String, Vec<Case>)>> {
    let (c, _) = measure(project, Handlers::C, Extent::Accesses)?;
    let (rust, _) = measure(project, Handlers::Rust, Extent::Accesses)?;
    let mut against_c = vec![goal::sum(&c, &rust)?];
    against_c.extend(goal::each(&c, &rust)?);
    let made_with = made_with(project, tools)?;
    let against_record = match Record::load(project)?.of(&made_with) {
        Ok(record) => record.against(&rust),
        Err(reason) => vec![Case::skip("recorded", reason)],
    };
    Ok(vec![
        ("c".to_owned(), against_c),
        ("recorded".to_owned(), against_record),
    ])
}

/// Costs, and how long the boot took.
fn measure(project: &Project, handlers: Handlers, extent: Extent) -> Result<(Costs, u64)> {
    const BOOT: &str = "boot";

    let program = format!("/selftests/arm64/{PROGRAM}");
    let mut single = vec![
        (BOOT, "dmesg | grep 'Run /init as init process'".to_owned()),
        ("plain", program.clone()),
    ];
    // With the C handlers, there is no trace event and no strict VM.
    if handlers == Handlers::Rust {
        let traced = format!("echo 1 > {EVENT} && {program} && echo 0 > {EVENT}");
        single.push((TRACED, traced));
        single.push((STRICT, format!("{program} -s")));
    }
    if extent == Extent::All {
        single.push(("vcpus", format!("{program} -v")));
    }
    let (mut costs, mut until_init) = (Costs::default(), None);
    for (name, output) in boot(project, handlers, 1, &single)? {
        match name {
            BOOT => until_init = Some(seconds(&output)?),
            TRACED | STRICT => {
                let accesses = Costs::parse(&output)?.only(|access| access != FLOOR);
                costs.extend(accesses.named(name));
            }
            _ => costs.extend(Costs::parse(&output)?),
        }
    }
    if extent == Extent::All {
        let threads = [("threads", format!("{program} -t"))];
        for (_, output) in boot(project, handlers, CPUS, &threads)? {
            costs.extend(Costs::parse(&output)?);
        }
    }
    let until_init = until_init.context("the boot was not measured")?;
    Ok((costs, (until_init * 1e6).round() as u64))
}

/// When a line of the kernel's log was written.
fn seconds(line: &str) -> Result<f64> {
    let stamp = line.trim().trim_start_matches('[').split(']').next();
    let seconds = stamp.and_then(|stamp| stamp.trim().parse().ok());
    seconds.with_context(|| format!("`{line}` has no time"))
}

/// What commands say on a host.
fn boot<'a>(
    project: &Project,
    handlers: Handlers,
    cpus: u32,
    commands: &[(&'a str, String)],
) -> Result<Vec<(&'a str, String)>> {
    let mut job = Job::default();
    let path = format!("arm64/{PROGRAM}");
    job.program(format!("selftests/{path}"), project.selftests().join(path));
    for (name, line) in commands {
        job.command(*name, LIMIT.as_secs(), line.clone());
    }
    let hosts = hosts::load(project)?;
    let host = hosts::find(&hosts, HOST)?;
    let host = Host {
        cpus,
        memory: MEMORY,
        cmdline: format!("{} printk.time=1", host.cmdline),
        ..host.clone()
    };
    let boot = Boot {
        what: "bench",
        host: &host,
        handlers,
        kunit: false,
        counts: true,
        job: &job,
        limit: LIMIT,
    };
    let transcript = Booter::new(project)?.one(&boot)?;
    let outputs = commands.iter().map(|(name, _)| {
        let section = transcript.section(name)?;
        ensure!(
            section.status == 0,
            "{name}: status {}\n{}",
            section.status,
            section.output
        );
        Ok((*name, section.output.clone()))
    });
    outputs.collect()
}

/// What the figures depend on besides the component.
fn made_with(project: &Project, tools: &Toolchain) -> Result<MadeWith> {
    let kbuild = Kbuild::new(&project.tree(), &project.build_dir(Handlers::Rust), tools);
    let release = kbuild.build_dir.join("include/config/kernel.release");
    let release = fs_err::read_to_string(release)?.trim().to_owned();
    let version = |program: &str| {
        let said = output(&command(program, ["--version"]))?;
        anyhow::Ok(said.lines().next().unwrap_or_default().to_owned())
    };
    let tools = [
        ("Linux", release),
        ("rustc", version("rustc")?),
        ("clang", version(&tools.llvm.program("clang"))?),
        ("gcc", version("aarch64-linux-gnu-gcc")?),
        ("QEMU", version("qemu-system-aarch64")?),
    ];
    Ok(MadeWith {
        tools: tools.map(|(tool, is)| (tool.to_owned(), is)).into(),
        config: config::saved(project, &kbuild)?,
    })
}

impl Bench {
    fn to_json(&self, made_with: &MadeWith) -> Result<String> {
        let kernel = |kernel: &Kernel| {
            json!({
                "instructions": kernel.costs.iter().collect::<std::collections::BTreeMap<_, _>>(),
                "sizes": kernel.sizes,
                "boot_kilo_instructions": kernel.boot,
            })
        };
        let json = json!({
            "made_with": made_with,
            "c": kernel(&self.c),
            "rust": kernel(&self.rust),
        });
        Ok(serde_json::to_string_pretty(&json)? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_line_is_read() {
        let line = "[    0.123456] Run /init as init process\n";
        assert_eq!(seconds(line).unwrap(), 0.123456);
        assert!(seconds("").is_err());
    }
}
