// SPDX-License-Identifier: GPL-2.0

//! The sample VMM: what it saves it can restore, what it cannot restore it says, and what it
//! cannot read it refuses.

use anyhow::{ensure, Context, Result};

use super::plan::{Boots, Plan};
use super::Groups;
use crate::console::Section;
use crate::dump::Dump;
use crate::project::{Handlers, Project};
use crate::results::Case;
use crate::vmm;

/// A host that offers nothing, so that another's VM is refused.
const HOST: &str = "a57";

const FOREIGN: &str = "\
0x6030000000140000 0x10003
0x6030000000140001 0x2
0x6030000000160000 0x2
0x60300000001400ff 0x0
";

/// What the host says to that, in order.
const REFUSED: [(u64, u64, &str); 3] = [
    (0x6030_0000_0014_0001, 2, "EINVAL"),
    (0x6030_0000_0016_0000, 2, "EINVAL"),
    (0x6030_0000_0014_00ff, 0, "ENOENT"),
];

/// Files that are no dumps: name, content, and what is said about each.
const BAD: [(&str, &str, &str); 4] = [
    (
        "bad-line",
        "0x6030000000140000 0x10003\nhello\n",
        ":2: not of the form",
    ),
    ("bad-end", "0x6030000000140000 0x100", ":1: not of the form"),
    (
        "bad-id",
        "0x6030000000100000 0x0\n",
        ":1: 0x6030000000100000 is not a firmware",
    ),
    ("bad-empty", "", ":1: no registers"),
];

pub fn plan(project: &Project, plan: &mut Plan) -> Result<()> {
    let program = vmm::build(project)?;
    let vmm = format!("/{}", vmm::PROGRAM);
    for handlers in Handlers::ALL {
        let job = plan.job(HOST, handlers);
        job.program(vmm::PROGRAM, &program);
        job.command("sample:dump", 10, format!("{vmm} dump"));
        job.command(
            "sample:own",
            10,
            format!("{vmm} dump >/tmp/own && {vmm} restore /tmp/own"),
        );
        job.file("sample/foreign", FOREIGN);
        job.command(
            "sample:foreign",
            10,
            format!("{vmm} restore /sample/foreign"),
        );
        for (name, content, _) in BAD {
            job.file(format!("sample/{name}"), content);
            let line = format!("{vmm} restore /sample/{name}");
            job.command(format!("sample:{name}"), 10, line);
        }
    }
    Ok(())
}

pub fn judge(boots: &Boots) -> Result<Groups> {
    let mut groups = Groups::new();
    for handlers in Handlers::ALL {
        let transcript = boots.transcript(HOST, handlers)?;
        let section = |name: &str| transcript.section(&format!("sample:{name}"));

        let mut cases = vec![
            Case::from_result("dump", section("dump").and_then(dump)),
            Case::from_result("restore-own", section("own").and_then(own)),
            Case::from_result("restore-foreign", section("foreign").and_then(foreign)),
        ];
        for (name, _, message) in BAD {
            let result = section(name).and_then(|section| bad(section, message));
            cases.push(Case::from_result(name, result));
        }
        groups.push((format!("{HOST}/{}", handlers.name()), cases));
    }
    Ok(groups)
}

fn dump(section: &Section) -> Result<()> {
    ensure!(section.status == 0, "status {}", section.status);
    let dump = Dump::parse(HOST, &section.output)?;
    for (id, _) in crate::registers::COLUMNS {
        dump.value(id)
            .with_context(|| format!("{} is missing", crate::registers::name(id)))?;
    }
    Ok(())
}

fn own(section: &Section) -> Result<()> {
    let refusals = vmm::verdict("/tmp/own", section.status, &section.output)?;
    ensure!(refusals.is_empty(), "refused: {}", section.output);
    Ok(())
}

fn foreign(section: &Section) -> Result<()> {
    let refusals = vmm::verdict("/sample/foreign", section.status, &section.output)?;
    let found = refusals.iter().map(|r| (r.id, r.value, r.errno.as_str()));
    ensure!(
        found.eq(REFUSED),
        "not the right refusals:\n{}",
        section.output
    );
    Ok(())
}

fn bad(section: &Section, message: &str) -> Result<()> {
    ensure!(
        section.status == 2 && section.output.contains(message),
        "should end with status 2 and say \"{message}\", but: status {}\n{}",
        section.status,
        section.output
    );
    Ok(())
}
