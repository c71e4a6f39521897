// SPDX-License-Identifier: GPL-2.0

//! `lab bench`: what each access to a pseudo-register costs, with either kernel side by side.
//!
//! The hosts' clock counts instructions, so that a figure is the same in each run and on each
//! machine, for the same kernel from the same compiler.

mod bounds;
mod record;
mod sizes;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};
use comfy_table::{presets::NOTHING, CellAlignment, Table};
use serde_json::json;

use crate::base::disk::write_whole;
use crate::base::kernel::Handlers;
use crate::base::progress::say;
use crate::base::project::Project;
use crate::boot::job::Job;
use crate::boot::{Boot, Booter};
use crate::get::Toolchain;
use crate::model::hosts::{self, Host};
use crate::model::results::{Groups, Outcome};
use bounds::Compared;

/// Instructions or bytes by what they are of: `get/STD_BMAP`, `strict/set/STD_BMAP/same`,
/// `list/512`, `bytes/text`.
type Figures = BTreeMap<String, f64>;

const HOST: &str = "n1";

/// Measurements of threads need some CPUs, and all others are disturbed by them.
const CPUS: u32 = 4;

/// In MiB: as many vCPUs as a VM can have.
const MEMORY: u32 = 1024;

pub const PROGRAM: &str = "fw_regs_perf_test";

const EVENT: &str = "/sys/kernel/tracing/events/kvm/kvm_arm_fw_reg_set/enable";

/// Tells the time at which the kernel starts init as the program tells a cost, in nanoseconds. The
/// kernel's log has microseconds.
const BOOT: &str = concat!(
    r"echo costs 1; dmesg | sed -n 's/^\[ *\([0-9]*\)\.\([0-9]*\)\] Run .init as init process.*",
    r"/cost boot \1\2000/p'; echo end",
);

/// What an access that KVM does not have costs: the way there and back.
const FLOOR: &str = "unknown-ioctl";

/// How accesses are measured besides plainly: to strict VMs, and with the trace event on.
const STRICT: &str = "strict";
const TRACED: &str = "traced";

const LIMIT: Duration = Duration::from_secs(300);

/// Measures all, prints it and writes it to a file. With `record`, the costs of accesses are what
/// `lab check` compares with from now on. Returns whether Rust stays in its bounds.
pub fn run(project: &Project, tools: &Toolchain, record: bool) -> Result<bool> {
    let [mut c, mut rust] = sizes::of_both(project, tools)?;
    let accesses = accesses(project, Handlers::Rust)?;
    rust.extend(accesses.clone());
    rust.extend(scenes(project, Handlers::Rust)?);
    c.extend(self::accesses(project, Handlers::C)?);
    c.extend(scenes(project, Handlers::C)?);

    let rows = bounds::compare(&c, &rust)?;
    let way = rust[FLOOR];
    anstream::println!(
        "{}\n\nNot counted above: {way:.1} of the way to the handlers and back, which an unknown \
         ioctl costs, too.\n",
        table(&rows)
    );
    let made_with = record::made_with(project, tools)?;
    let json = json!({ "made_with": made_with, "c": c, "rust": rust });
    let file = project.base().join("bench.json");
    let text = serde_json::to_string_pretty(&json)? + "\n";
    write_whole(&file, text.as_bytes())?;
    say(file.display().to_string());
    if record {
        record::save(project, made_with.clone(), accesses)?;
    }

    let recorded = record::load(project)?;
    let mut cases = bounds::flat(&rust);
    cases.extend(recorded.held(&made_with, bounds::all(&rows)?));
    let mut good = true;
    for case in cases {
        match case.outcome {
            Outcome::Pass => (),
            Outcome::Skip(reason) => say(format!("skipped: {}: {reason}", case.name)),
            Outcome::Fail(cause) => {
                say(format!("too much: {}: {cause}", case.name));
                good = false;
            }
        }
    }
    Ok(good)
}

/// Accesses and sizes: within the bounds that C sets, with the compilers of the record; and no access
/// costs more than was recorded with this kernel and these tools.
pub fn check(project: &Project, tools: &Toolchain) -> Result<Groups> {
    let [mut c, mut rust] = sizes::of_both(project, tools)?;
    let accesses = self::accesses(project, Handlers::Rust)?;
    rust.extend(accesses.clone());
    c.extend(self::accesses(project, Handlers::C)?);
    let against_c = bounds::all(&bounds::compare(&c, &rust)?)?;
    let made_with = record::made_with(project, tools)?;
    let recorded = record::load(project)?;
    Ok(vec![
        ("c".to_owned(), recorded.held(&made_with, against_c)),
        (
            "recorded".to_owned(),
            recorded.against(&made_with, &accesses),
        ),
    ])
}

/// What accesses of one VM with one vCPU cost.
fn accesses(project: &Project, handlers: Handlers) -> Result<Figures> {
    let program = program("");
    let mut commands = vec![("plain", program.clone())];
    // With the C handlers, there is no trace event and no strict VM.
    if handlers == Handlers::Rust {
        let traced = format!("echo 1 > {EVENT} && {program} && echo 0 > {EVENT}");
        commands.extend([(TRACED, traced), (STRICT, format!("{program} -s"))]);
    }
    measure(project, handlers, 1, &commands)
}

/// What many vCPUs, threads, and the boot cost.
fn scenes(project: &Project, handlers: Handlers) -> Result<Figures> {
    let commands = [("boot", BOOT.to_owned()), ("vcpus", program(" -v"))];
    let mut figures = measure(project, handlers, 1, &commands)?;
    let threads = [("threads", program(" -t"))];
    figures.extend(measure(project, handlers, CPUS, &threads)?);
    Ok(figures)
}

fn program(options: &str) -> String {
    format!("/selftests/arm64/{PROGRAM}{options}")
}

/// What commands measure on a host.
fn measure(
    project: &Project,
    handlers: Handlers,
    cpus: u32,
    commands: &[(&str, String)],
) -> Result<Figures> {
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
        kernel: handlers.into(),
        kunit: false,
        counts: true,
        job: &job,
        limit: LIMIT,
    };
    let transcript = Booter::new(project)?.one(&boot)?;
    let mut figures = Figures::new();
    for section in &transcript.sections {
        let (name, output) = (&section.name, &section.output);
        ensure!(
            section.status == 0,
            "{name}: status {}\n{output}",
            section.status
        );
        let costs = parse(output).with_context(|| name.clone())?;
        if [STRICT, TRACED].contains(&name.as_str()) {
            let handlers = costs.into_iter().filter(|(access, _)| access != FLOOR);
            figures.extend(handlers.map(|(access, cost)| (format!("{name}/{access}"), cost)));
        } else {
            figures.extend(costs);
        }
    }
    Ok(figures)
}

/// Reads what `selftests/kvm/arm64/fw_regs_perf_test.c` prints, in which there may be lines of
/// others before and after.
fn parse(output: &str) -> Result<Figures> {
    let mut costs = Figures::new();
    for line in output.lines().skip_while(|line| *line != "costs 1").skip(1) {
        match *line.split(' ').collect::<Vec<_>>() {
            ["cost", access, nanoseconds] => {
                let cost: f64 = nanoseconds.parse().with_context(|| line.to_owned())?;
                ensure!(cost > 0.0, "`{line}`: nothing is for free");
                costs.insert(access.to_owned(), cost);
            }
            ["end"] if !costs.is_empty() => return Ok(costs),
            _ => bail!("`{line}` is no cost"),
        }
    }
    bail!("the measurement was not made to its end:\n{output}")
}

fn table(rows: &[Compared]) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_header(["Instructions, bytes", "C", "Rust", "Rust / C", "bounded by"]);
    for row in rows {
        let ratio = |c: f64| format!("{:.2}", row.rust / c);
        let bound = row.bound.as_ref().filter(|(peer, _)| peer != row.name);
        table.add_row([
            row.name.to_owned(),
            row.c.map_or(String::new(), |c| format!("{c:.1}")),
            format!("{:.1}", row.rust),
            row.c.map_or(String::new(), ratio),
            bound.map_or(String::new(), |(peer, c)| {
                format!("{} x C's {peer}", ratio(*c))
            }),
        ]);
    }
    for column in table.column_iter_mut().skip(1).take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_read() {
        let output = "Random seed: 0x1\ncosts 1\ncost get/A 10.5\ncost set/A/same 20.0\nend\nbye\n";
        let costs = parse(output).unwrap();
        assert_eq!(costs["get/A"], 10.5);
        assert_eq!(costs.len(), 2);
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for output in [
            "",
            "costs 1\nend\n",
            "costs 1\ncost a 1.0\n",
            "costs 1\ncost a\nend\n",
            "costs 1\ncost a 0.0\nend\n",
            "cost a 1.0\nend\n",
        ] {
            assert!(parse(output).is_err(), "{output}");
        }
    }

    #[test]
    fn the_time_of_the_boot_is_told_as_a_cost() {
        let dir = tempfile::tempdir().unwrap();
        let log = "[    0.064668] Run /init as init process\n[    0.07] Freeing\n";
        fs_err::write(dir.path().join("log"), log).unwrap();
        let line = BOOT.replace("dmesg", "cat log");
        let told = duct::cmd!("sh", "-c", line).dir(dir.path()).read().unwrap();
        assert_eq!(parse(&told).unwrap()["boot"], 64_668_000.0);
    }

    #[test]
    fn a_row_tells_its_bound_where_that_is_another_access() {
        let row = |name, peer: &str| Compared {
            name,
            rust: 90.0,
            c: Some(100.0),
            bound: Some((peer.to_owned(), 60.0)),
        };
        let text = table(&[row("get/A", "get/A"), row("set/A/same", "set/B/same")]).to_string();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert!(lines[1].ends_with("100.0  90.0      0.90"), "{text}");
        assert!(lines[2].ends_with("0.90  1.50 x C's set/B/same"), "{text}");
    }
}
