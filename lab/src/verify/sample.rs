// SPDX-License-Identifier: GPL-2.0

//! The sample VMM: what it saves it can restore, what it cannot restore it says, the mistakes that
//! it is told to make it makes, and what it cannot read it refuses.

use anyhow::{ensure, Context, Result};

use crate::ask::vmm;
use crate::base::project::Handlers;
use crate::boot::console::{Section, Transcript};
use crate::build::Built;
use crate::model::dump::Dump;
use crate::model::results::{Case, Groups};
use crate::model::{answer, discovery, registers};
use crate::verify::boots::{cases_or_failure, Boots, Plan};

/// A host that offers nothing, so that another's VM is refused.
const HOST: &str = "a57";

/// A fresh VM, and one with PSCI 0.1, as the host saved them.
const OWN: &str = "/tmp/own";
const OLD: &str = "/tmp/old";
const DUMPS: [(&str, &str, &str); 2] = [("dump", "", OWN), ("dump-psci-0.1", "-1", OLD)];

/// Hand-made files.
const FILES: [(&str, &str); 3] = [
    (
        "foreign",
        "0x6030000000140000 0x10003\n0x6030000000140001 0x2\n\
         0x6030000000160000 0x2\n0x60300000001400ff 0x0\n",
    ),
    ("lost", "0x6030000000140000 0x10003\n0x6030000000140001 -\n"),
    (
        "older",
        "0x6030000000140000 0x10001\n0x6030000000160000 0x0\n",
    ),
];

/// Restores that are accepted: name, options, and file.
const ACCEPTED: [(&str, &str, &str); 6] = [
    ("own", "", OWN),
    ("own-saved", "-d", OWN),
    ("own-after-run", "-rd", OWN),
    ("own-asked", "-dg /sample/calls", OWN),
    ("own-asked-after-run", "-rdg /sample/calls", OWN),
    ("psci-0.1", "-1d", OLD),
];

/// Restores that are not: name, arguments, and all that is said.
const REFUSED: [(&str, &str, &str); 4] = [
    (
        "foreign",
        "-d /sample/foreign",
        "refused /sample/foreign 0x6030000000140001 0x2 EINVAL\n\
         refused /sample/foreign 0x6030000000160000 0x2 EINVAL\n\
         refused /sample/foreign 0x60300000001400ff 0x0 ENOENT\n\
         rejected /sample/foreign 3",
    ),
    (
        "lost",
        "/sample/lost",
        "refused /sample/lost 0x6030000000140001 - EFAULT\nrejected /sample/lost 1",
    ),
    (
        "psci-0.1-elsewhere",
        OLD,
        "refused /tmp/old 0x6030000000140000 0x1 EINVAL\nrejected /tmp/old 1",
    ),
    (
        // PSCI_VERSION is not frozen.
        "older-after-run",
        "-r /sample/older",
        "refused /sample/older 0x6030000000160000 0x0 EBUSY\nrejected /sample/older 1",
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

/// Arguments that have no meaning, and what is said about each.
const MISUSED: [(&str, &str, &str); 7] = [
    ("no-command", "", "usage: "),
    ("no-file", "restore -d", "usage: "),
    ("unknown-option", "restore -x /tmp/own", "usage: "),
    ("dump-option", "dump -r", "usage: "),
    ("dump-file", "dump /tmp/own", "usage: "),
    ("calls-without-file", "dump -g", "usage: "),
    (
        "lost-argument",
        "dump -g /sample/lost",
        ":2: a call without its argument",
    ),
];

pub fn plan(built: &Built, plan: &mut Plan) -> Result<()> {
    for handlers in Handlers::ALL {
        let job = plan.job(HOST, handlers);
        job.program(vmm::PROGRAM, &built.vmm);
        job.file("sample/calls", discovery::questions());
        let bad = BAD.map(|(name, content, _)| (name, content));
        for (name, content) in FILES.into_iter().chain(bad) {
            job.file(format!("sample/{name}"), content);
        }

        let mut command = |name: &str, arguments: String| {
            let line = format!("/{} {arguments}", vmm::PROGRAM);
            job.command(command_name(name), 10, line);
        };
        for (name, options, file) in DUMPS {
            command(name, format!("dump {options} >{file} && cat {file}"));
        }
        for (name, options, file) in ACCEPTED {
            command(name, format!("restore {options} {file}"));
        }
        for (name, arguments, _) in REFUSED {
            command(name, format!("restore {arguments}"));
        }
        for (name, _, _) in BAD {
            command(name, format!("restore /sample/{name}"));
        }
        for (name, arguments, _) in MISUSED {
            command(name, arguments.to_owned());
        }
    }
    Ok(())
}

fn command_name(name: &str) -> String {
    format!("sample:{name}")
}

pub fn judge(boots: &Boots) -> Result<Groups> {
    let groups = Handlers::ALL.map(|handlers| {
        let transcript = boots.transcript(HOST, handlers);
        let cases = cases_or_failure(transcript.and_then(cases));
        (format!("{HOST}/{}", handlers.name()), cases)
    });
    Ok(groups.into())
}

fn cases(transcript: &Transcript) -> Result<Vec<Case>> {
    let section = |name: &str| transcript.section(&command_name(name));
    let mut cases = Vec::new();
    let mut case = |name: &str, result| cases.push(Case::from_result(name, result));
    for (name, _, file) in DUMPS {
        let dump = dump(section(name)?);
        let registers = dump.as_ref().map_or(&[][..], |dump| &dump.registers);
        for (name, options, _) in ACCEPTED.iter().filter(|restore| restore.2 == file) {
            let result = accepted(section(name)?, file, options, registers);
            case(&format!("restore-{name}"), result);
        }
        case(name, dump.map(drop));
    }
    for (name, _, expected) in REFUSED {
        let result = says(section(name)?, 1, expected);
        case(&format!("restore-{name}"), result);
    }
    for (name, _, message) in BAD.iter().chain(&MISUSED) {
        case(name, says(section(name)?, 2, message));
    }
    Ok(cases)
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

/// A restored VM is saved again, and shown to its guest, as the same host saved it before.
fn accepted(
    section: &Section,
    file: &str,
    options: &str,
    before: &[(registers::Id, u64)],
) -> Result<()> {
    let Section { status, output, .. } = section;
    let answer = answer::parse(&[file.to_owned()], *status, output)?.remove(0);
    let expected = match options.contains('d') {
        true => before,
        false => &[],
    };
    ensure!(
        answer.accepted() && answer.saved == expected,
        "it should be saved as\n{expected:x?}\nbut:\n{output}"
    );
    ensure!(
        answer.told.is_some() == options.contains('g')
            && answer.contradictions(&answer.saved).is_empty(),
        "the guest should be told what was saved, but:\n{output}"
    );
    Ok(())
}

fn says(section: &Section, status: i32, message: &str) -> Result<()> {
    let Section { output, .. } = section;
    let said = match status {
        // Refusals are all that is said.
        1 => output.trim_end() == message,
        _ => output.contains(message),
    };
    ensure!(
        section.status == status && said,
        "should end with status {status} and say \"{message}\", but: status {}\n{output}",
        section.status
    );
    Ok(())
}
