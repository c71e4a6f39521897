// SPDX-License-Identifier: GPL-2.0

//! `KVM_CAP_ARM_FW_REGS_STRICT` as the sample VMM meets it: what is kept of a VM where nothing is
//! asked for, with `-s`, on a kernel that makes every VM strict, and where there is no such thing.

use anyhow::{ensure, Result};

use crate::ask::vmm::{self, Batch};
use crate::base::project::Handlers;
use crate::boot::console::Transcript;
use crate::boot::job::Job;
use crate::build::Built;
use crate::model::answer::Answer;
use crate::model::registers::{
    Id, PSCI_VERSION, STD_BMAP, WORKAROUND_1, WORKAROUND_2, WORKAROUND_3,
};
use crate::model::results::Case;
use crate::model::results::Groups;
use crate::model::stream::Stream;
use crate::verify::boots::{Boots, Plan};

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

/// What a default VM has of it, and what of it is frozen there.
const DEFAULT: [(Id, u64); 5] = [
    (PSCI_VERSION, 0x1_0001),
    (WORKAROUND_1, 2),
    (WORKAROUND_2, 3),
    (WORKAROUND_3, 2),
    (STD_BMAP, 0),
];
const FROZEN: [Id; 1] = [STD_BMAP];

/// A VM of a newer kernel, of which it promises nothing more.
const NEWER: [(Id, u64); 2] = [(0x6030_0000_0014_00ff, 0), (0x6030_0000_0016_00ff, 0)];

/// Where VMs are made, and how.
struct Place {
    name: &'static str,
    job: fn(&mut Plan) -> &mut Job,
    transcript: fn(&Boots) -> Result<&Transcript>,
    option: &'static str,
    /// What the kernel says of the VMs at boot.
    says: Option<&'static str>,
    is_strict: bool,
}

const PLACES: [Place; 4] = [
    Place {
        name: "c",
        job: |plan| plan.job(HOST, Handlers::C),
        transcript: |boots| boots.transcript(HOST, Handlers::C),
        option: "",
        says: None,
        is_strict: false,
    },
    Place {
        name: "default",
        job: |plan| plan.job(HOST, Handlers::Rust),
        transcript: |boots| boots.transcript(HOST, Handlers::Rust),
        option: "",
        says: Some("VMs are strict on request"),
        is_strict: false,
    },
    Place {
        name: "strict",
        job: |plan| plan.job(HOST, Handlers::Rust),
        transcript: |boots| boots.transcript(HOST, Handlers::Rust),
        option: vmm::STRICT,
        says: Some("VMs are strict on request"),
        is_strict: true,
    },
    Place {
        name: "every-vm-strict",
        job: |plan| plan.strict(HOST),
        transcript: |boots| boots.strict(HOST),
        option: "",
        says: Some("every VM is strict"),
        is_strict: true,
    },
];

impl Place {
    fn batch(&self, what: &str, options: &str, registers: &[(Id, u64)]) -> Batch {
        let registers = registers.iter().map(|(id, value)| (*id, Some(*value)));
        Batch {
            name: format!("{}-{what}", self.name),
            options: format!("{options} {}", self.option),
            streams: vec![Stream {
                name: what.to_owned(),
                registers: registers.collect(),
            }],
        }
    }

    fn kept(&self) -> Batch {
        self.batch("kept", &format!("-d {}", vmm::ASK), &LESS)
    }

    fn frozen(&self) -> Batch {
        self.batch("frozen", "-r", &LESS)
    }

    fn newer(&self) -> Batch {
        self.batch("newer", "", &NEWER)
    }

    fn null_promise(&self) -> Batch {
        self.batch("null-promise", "-n", &NEWER)
    }
}

/// What the C handlers cannot do.
const UNABLE: [(&str, &str); 2] = [
    ("unable-dump", "dump -s"),
    ("unable-restore", "restore -s /vm/c-kept/kept"),
];

pub fn plan(built: &Built, plan: &mut Plan) -> Result<()> {
    for place in PLACES {
        let job = (place.job)(plan);
        vmm::install(job, &built.vmm);
        for batch in [
            place.kept(),
            place.frozen(),
            place.newer(),
            place.null_promise(),
        ] {
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
    let groups = PLACES.iter().map(|place| {
        let cases = match (place.transcript)(boots) {
            Ok(transcript) => cases(place, transcript),
            Err(error) => vec![Case::fail("boot", format!("{error:#}"))],
        };
        (format!("{HOST}/{}", place.name), cases)
    });
    groups.collect()
}

fn cases(place: &Place, said: &Transcript) -> Vec<Case> {
    let mut cases = vec![
        Case::from_result("said-at-boot", boot_line(place, said)),
        Case::from_result("kept", kept(place, said)),
        Case::from_result("frozen", frozen(place, said)),
        Case::from_result(
            "newer",
            refused(&place.newer(), said, &all(&NEWER), "ENOENT"),
        ),
    ];
    // The C handlers know nothing of it.
    let unknown = match place.says {
        Some(_) => Vec::new(),
        None => all(&NEWER),
    };
    let null = refused(&place.null_promise(), said, &unknown, "ENOENT");
    cases.push(Case::from_result("null-promise", null));
    if place.says.is_none() {
        for (name, _) in UNABLE {
            cases.push(Case::from_result(name, unable(name, said)));
        }
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

/// What was restored is saved again and shown to the guest, or only what a default VM keeps of it.
fn kept(place: &Place, said: &Transcript) -> Result<()> {
    let answer = answer(&place.kept(), said)?;
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

fn frozen(place: &Place, said: &Transcript) -> Result<()> {
    let expected = match place.is_strict {
        true => all(&LESS),
        false => FROZEN.into(),
    };
    refused(&place.frozen(), said, &expected, "EBUSY")
}

fn refused(batch: &Batch, said: &Transcript, ids: &[Id], errno: &str) -> Result<()> {
    let answer = answer(batch, said)?;
    let refused = answer.refusals.iter().map(|it| (it.id, it.errno.as_str()));
    let expected = ids.iter().map(|id| (*id, errno));
    ensure!(refused.eq(expected), "refused: {:#x?}", answer.refusals);
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

fn answer(batch: &Batch, said: &Transcript) -> Result<Answer> {
    Ok(batch.answers(said)?.remove(0))
}

fn all(registers: &[(Id, u64)]) -> Vec<Id> {
    registers.iter().map(|(id, _)| *id).collect()
}
