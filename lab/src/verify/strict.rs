// SPDX-License-Identifier: GPL-2.0

//! `KVM_CAP_ARM_FW_REGS_STRICT` as the sample VMM meets it: what is kept of a VM where nothing is
//! asked for, with `-s`, on a kernel that makes every VM strict, and where there is no such thing.

use anyhow::{ensure, Result};

use crate::ask::vmm::{self, Batch};
use crate::base::project::Handlers;
use crate::boot::console::Transcript;
use crate::build::Built;
use crate::model::answer::Answer;
use crate::model::registers::{
    Id, PSCI_VERSION, STD_BMAP, WORKAROUND_1, WORKAROUND_2, WORKAROUND_3,
};
use crate::model::results::{Case, Groups};
use crate::model::stream::Stream;
use crate::verify::boots::{cases_or_failure, Boots, Mode, Plan};

/// A host that offers all, so that there is less.
const HOST: &str = "a53";

/// A VM that has less than is offered.
const LESS: [(Id, u64); 5] = [
    (PSCI_VERSION, 0x1_0001),
    (WORKAROUND_1, 1),
    (WORKAROUND_2, 0),
    (WORKAROUND_3, 0),
    (STD_BMAP, 0),
];

/// What a default VM has of it. Of that, the bitmap is frozen once the VM has run.
const DEFAULT: [(Id, u64); 5] = [
    (PSCI_VERSION, 0x1_0001),
    (WORKAROUND_1, 2),
    (WORKAROUND_2, 3),
    (WORKAROUND_3, 2),
    (STD_BMAP, 0),
];

/// A VM of a newer kernel, of which it promises nothing more.
const NEWER: [(Id, u64); 2] = [(0x6030_0000_0014_00ff, 0), (0x6030_0000_0016_00ff, 0)];

/// Where VMs are made, and how.
#[derive(Clone, Copy)]
struct Place {
    name: &'static str,
    mode: Mode,
    handlers: Handlers,
    option: &'static str,
    /// What the kernel says of the VMs at boot; the C handlers know nothing of strict ones.
    says: Option<&'static str>,
    is_strict: bool,
}

const ON_REQUEST: Place = Place {
    name: "default",
    mode: Mode::Commands,
    handlers: Handlers::Rust,
    option: "",
    says: Some("VMs are strict on request"),
    is_strict: false,
};

const PLACES: [Place; 4] = [
    Place {
        name: "c",
        handlers: Handlers::C,
        says: None,
        ..ON_REQUEST
    },
    ON_REQUEST,
    Place {
        name: "strict",
        option: vmm::STRICT,
        is_strict: true,
        ..ON_REQUEST
    },
    Place {
        name: "every-vm-strict",
        mode: Mode::Strict,
        says: Some("every VM is strict"),
        is_strict: true,
        ..ON_REQUEST
    },
];

/// What the C handlers cannot do.
const UNABLE: [(&str, &str); 2] = [
    ("unable-dump", "dump -s"),
    ("unable-restore", "restore -s /vm/c-kept/kept"),
];

impl Place {
    /// What the VMM restores here, each with its name, and what is refused of it.
    fn batches(&self) -> [(&'static str, Batch, Vec<(Id, &'static str)>); 4] {
        let batch = |what: &str, options: &str, registers: &[(Id, u64)]| Batch {
            name: format!("{}-{what}", self.name),
            options: format!("{options} {}", self.option),
            streams: vec![Stream {
                name: what.to_owned(),
                registers: registers.iter().map(|(id, it)| (*id, Some(*it))).collect(),
            }],
        };
        let frozen: &[_] = if self.is_strict {
            &LESS
        } else {
            &[(STD_BMAP, 0)]
        };
        let null: &[_] = if self.says.is_some() { &[] } else { &NEWER };
        let all = |registers: &[(Id, u64)], errno| {
            let ids = registers.iter().map(|(id, _)| (*id, errno));
            ids.collect()
        };
        let keep = format!("-d {}", vmm::ASK);
        [
            ("kept", batch("kept", &keep, &LESS), Vec::new()),
            ("frozen", batch("frozen", "-r", &LESS), all(frozen, "EBUSY")),
            ("newer", batch("newer", "", &NEWER), all(&NEWER, "ENOENT")),
            (
                "null-promise",
                batch("null-promise", "-n", &NEWER),
                all(null, "ENOENT"),
            ),
        ]
    }
}

pub fn plan(built: &Built, plan: &mut Plan) -> Result<()> {
    for place in PLACES {
        let job = plan.job_in(place.mode, HOST, place.handlers);
        vmm::install(job, &built.vmm);
        for (_, batch, _) in place.batches() {
            batch.add_to(job);
        }
    }
    for (name, arguments) in UNABLE {
        let line = format!("/{} {arguments}", vmm::PROGRAM);
        plan.job(HOST, Handlers::C).command(name, 10, line);
    }
    Ok(())
}

pub fn judge(boots: &Boots) -> Groups {
    let groups = PLACES.map(|place| {
        let transcript = boots.transcript_in(place.mode, HOST, place.handlers);
        let cases = cases_or_failure(transcript.map(|it| cases(&place, it)));
        (format!("{HOST}/{}", place.name), cases)
    });
    groups.into()
}

fn cases(place: &Place, said: &Transcript) -> Vec<Case> {
    let mut cases = vec![Case::from_result("said-at-boot", boot_line(place, said))];
    for (name, batch, refused) in place.batches() {
        let result = answer(&batch, &refused, said).and_then(|answer| match name {
            "kept" => kept(place, &answer),
            _ => Ok(()),
        });
        cases.push(Case::from_result(name, result));
    }
    if place.says.is_none() {
        let unable = UNABLE.map(|(name, _)| Case::from_result(name, unable(name, said)));
        cases.extend(unable);
    }
    cases
}

fn boot_line(place: &Place, said: &Transcript) -> Result<()> {
    let served = &said.served;
    let is_right = match place.says {
        Some(says) => served.ends_with(says),
        None => served.is_empty(),
    };
    ensure!(is_right, "the kernel said `{served}`");
    Ok(())
}

/// The answer to a VM of which just this is refused.
fn answer(batch: &Batch, refused: &[(Id, &str)], said: &Transcript) -> Result<Answer> {
    let answer = batch.answers(said)?.remove(0);
    let found = answer.refusals.iter().map(|it| (it.id, it.errno.as_str()));
    ensure!(
        found.eq(refused.iter().copied()),
        "refused: {:#x?}",
        answer.refusals
    );
    Ok(answer)
}

/// What was restored is saved again and shown to the guest, or only what a default VM keeps of it.
fn kept(place: &Place, answer: &Answer) -> Result<()> {
    let expected = if place.is_strict { LESS } else { DEFAULT };
    for (id, value) in expected {
        ensure!(
            answer.saved.contains(&(id, value)),
            "{id:#x} should be {value:#x} in {:#x?}",
            answer.saved
        );
    }
    let contradictions = answer.contradictions(&expected);
    ensure!(
        answer.told.is_some() && contradictions.is_empty(),
        "the guest is told otherwise: {contradictions:?}"
    );
    Ok(())
}

fn unable(name: &str, said: &Transcript) -> Result<()> {
    let section = said.section(name)?;
    ensure!(
        section.status == 2 && section.output.contains("this kernel has no strict VMs"),
        "status {}: {}",
        section.status,
        section.output
    );
    Ok(())
}
