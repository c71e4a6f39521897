// SPDX-License-Identifier: GPL-2.0

//! The sample VMM: what it saves it can restore, what it cannot restore it says, the mistakes that
//! it is told to make it makes, and what it cannot read it refuses.

use anyhow::{bail, ensure, Context, Result};

use crate::ask::vmm;
use crate::base::project::Handlers;
use crate::boot::console::{Section, Transcript};
use crate::build::Built;
use crate::model::answer;
use crate::model::answer::Answer;
use crate::model::discovery;
use crate::model::dump::Dump;
use crate::model::registers::{self, Id, PSCI_VERSION, STD_BMAP, WORKAROUND_1};
use crate::model::results::Case;
use crate::model::results::Groups;
use crate::verify::boots::{Boots, Plan};

/// A host that offers nothing, so that another's VM is refused.
const HOST: &str = "a57";

const UNKNOWN: Id = 0x6030_0000_0014_00ff;

/// A fresh VM, and one with PSCI 0.1, as the host saved them.
const OWN: &str = "/tmp/own";
const OLD: &str = "/tmp/old";
/// Hand-made ones.
const FOREIGN: &str = "/sample/foreign";
const LOST: &str = "/sample/lost";
const CALLS: &str = "/sample/calls";
const OLDER: &str = "/sample/older";

const FILES: [(&str, &str); 3] = [
    (
        FOREIGN,
        "0x6030000000140000 0x10003\n0x6030000000140001 0x2\n\
         0x6030000000160000 0x2\n0x60300000001400ff 0x0\n",
    ),
    (LOST, "0x6030000000140000 0x10003\n0x6030000000140001 -\n"),
    (
        OLDER,
        "0x6030000000140000 0x10001\n0x6030000000160000 0x0\n",
    ),
];

/// A refused write: what, and how.
type Refused = (Id, Option<u64>, &'static str);

/// A restore: name, options, file, and what is refused, in order.
type Restore = (&'static str, &'static str, &'static str, &'static [Refused]);

const RESTORES: [Restore; 10] = [
    ("own", "", OWN, &[]),
    ("own-saved", "-d", OWN, &[]),
    ("own-after-run", "-rd", OWN, &[]),
    ("own-asked", "-dg /sample/calls", OWN, &[]),
    ("own-asked-after-run", "-rdg /sample/calls", OWN, &[]),
    (
        "foreign",
        "-d",
        FOREIGN,
        &[
            (WORKAROUND_1, Some(2), "EINVAL"),
            (STD_BMAP, Some(2), "EINVAL"),
            (UNKNOWN, Some(0), "ENOENT"),
        ],
    ),
    ("lost", "", LOST, &[(WORKAROUND_1, None, "EFAULT")]),
    ("psci-0.1", "-1d", OLD, &[]),
    (
        "psci-0.1-elsewhere",
        "",
        OLD,
        &[(PSCI_VERSION, Some(1), "EINVAL")],
    ),
    (
        "older-after-run",
        "-r",
        OLDER,
        // PSCI_VERSION is not frozen.
        &[(STD_BMAP, Some(0), "EBUSY")],
    ),
];

/// Files that are no dumps: name, content, and what is said about each.
const BAD: [(&str, &str, &str); 5] = [
    (
        "bad-line",
        "0x6030000000140000 0x10003\nhello\n",
        ":2: not of the form",
    ),
    ("bad-end", "0x6030000000140000 0x100", ":1: not of the form"),
    (
        "bad-lost",
        "0x6030000000140000 -0x1\n",
        ":1: not of the form",
    ),
    (
        "bad-id",
        "0x6030000000100000 0x0\n",
        ":1: 0x6030000000100000 is not a firmware",
    ),
    ("bad-empty", "", ":1: no registers"),
];

/// Arguments that have no meaning.
const MISUSED: [(&str, &str); 6] = [
    ("no-command", ""),
    ("no-file", "restore -d"),
    ("unknown-option", "restore -x /tmp/own"),
    ("dump-option", "dump -r"),
    ("dump-file", "dump /tmp/own"),
    ("calls-without-file", "dump -g"),
];

pub fn plan(built: &Built, plan: &mut Plan) -> Result<()> {
    let vmm = format!("/{}", vmm::PROGRAM);
    for handlers in Handlers::ALL {
        let job = plan.job(HOST, handlers);
        job.program(vmm::PROGRAM, &built.vmm);
        let mut command = |name: &str, line: String| job.command(section(name), 10, line);
        command("dump", format!("{vmm} dump >{OWN} && cat {OWN}"));
        command(
            "dump-psci-0.1",
            format!("{vmm} dump -1 >{OLD} && cat {OLD}"),
        );
        for (name, options, file, _) in RESTORES {
            command(name, format!("{vmm} restore {options} {file}"));
        }
        for (name, _, _) in BAD {
            command(name, format!("{vmm} restore /sample/{name}"));
        }
        for (name, arguments) in MISUSED {
            command(name, format!("{vmm} {arguments}"));
        }
        command("lost-argument", format!("{vmm} dump -g {LOST}"));
        job.file(CALLS.trim_start_matches('/'), discovery::questions());
        for (name, content) in FILES {
            job.file(name.trim_start_matches('/'), content);
        }
        for (name, content, _) in BAD {
            job.file(format!("sample/{name}"), content);
        }
    }
    Ok(())
}

/// What a command is named in the job.
fn section(name: &str) -> String {
    format!("sample:{name}")
}

pub fn judge(boots: &Boots) -> Result<Groups> {
    let mut groups = Groups::new();
    for handlers in Handlers::ALL {
        let transcript = boots.transcript(HOST, handlers)?;
        let section = |name: &str| transcript.section(&section(name));

        let mut cases = Vec::new();
        let mut case = |name: &str, result| cases.push(Case::from_result(name, result));
        for name in ["dump", "dump-psci-0.1"] {
            case(name, section(name).and_then(dump).map(drop));
        }
        for restore in &RESTORES {
            let name = format!("restore-{}", restore.0);
            case(&name, restored(restore, transcript));
        }
        for (name, _, message) in BAD {
            case(name, section(name).and_then(|it| trouble(it, message)));
        }
        for (name, _) in MISUSED {
            case(name, section(name).and_then(|it| trouble(it, "usage: ")));
        }
        let message = ":2: a call without its argument";
        case(
            "lost-argument",
            section("lost-argument").and_then(|it| trouble(it, message)),
        );
        groups.push((format!("{HOST}/{}", handlers.name()), cases));
    }
    Ok(groups)
}

fn dump(section: &Section) -> Result<Dump> {
    ensure!(section.status == 0, "status {}", section.status);
    let dump = Dump::parse(HOST, &section.output)?;
    for (id, _) in registers::COLUMNS {
        dump.value(id)
            .with_context(|| format!("{} is missing", registers::name(id)))?;
    }
    Ok(dump)
}

fn restored(restore: &Restore, transcript: &Transcript) -> Result<()> {
    let (name, options, file, refused) = *restore;
    let Section { status, output, .. } = transcript.section(&section(name))?;
    let answers = answer::parse(&[file.to_owned()], *status, output)?;
    let [answer] = answers.as_slice() else {
        bail!("not one answer:\n{output}");
    };
    let Answer {
        refusals,
        saved,
        told,
    } = answer;

    let found = refusals
        .iter()
        .map(|it| (it.id, it.value, it.errno.as_str()));
    ensure!(
        found.eq(refused.iter().copied()),
        "not the right refusals:\n{output}"
    );

    // What was accepted here is what the same host saved before.
    let source = match file {
        OLD => "dump-psci-0.1",
        _ => "dump",
    };
    let expected = match options.contains('d') && refusals.is_empty() {
        true => dump(transcript.section(&section(source))?)?.registers,
        false => Vec::new(),
    };
    ensure!(
        *saved == expected,
        "saved should be\n{expected:x?}\nbut:\n{output}"
    );
    ensure!(
        told.is_some() == options.contains('g') && answer.contradictions(saved).is_empty(),
        "the guest should be told what was saved, but:\n{output}"
    );
    Ok(())
}

fn trouble(section: &Section, message: &str) -> Result<()> {
    ensure!(
        section.status == 2 && section.output.contains(message),
        "should end with status 2 and say \"{message}\", but: status {}\n{}",
        section.status,
        section.output
    );
    Ok(())
}
