// SPDX-License-Identifier: GPL-2.0

//! What hosts offer: more than a fresh VM shows.
//!
//! A bitmap of services may start with less than the host could keep, so each of its bits is tried.
//! And what is offered of `SMCCC_ARCH_WORKAROUND_2` depends on `ID_AA64PFR1_EL1.SSBS`, which a VMM
//! can hide from a VM.

use std::collections::BTreeSet;

use anyhow::{anyhow, bail, ensure, Context, Result};
use planner::{HostOffers, Registers};

use crate::ask::vmm;
use crate::boot::console::{Section, Transcript};
use crate::boot::job::Job;
use crate::model::answer;
use crate::model::dump::Dump;
use crate::model::hosts::Host;
use crate::model::registers;
use crate::model::registers::{Id, COLUMNS, ID_AA64PFR1_EL1, PFR1_SSBS, STD_BMAP, WORKAROUND_2};
use crate::model::stream::Stream;

/// The commands.
const HIDDEN: &str = "ssbs-hidden";
const SERVICES: &str = "services";

const HIDDEN_FILE: &str = "/tmp/ssbs-hidden";
const SERVICES_FILE: &str = "/vm/services";

/// `KVM_REG_ARM_FW_FEAT_BMAP`, the class of the bitmaps: it begins with the first of them.
const BITMAPS: Id = STD_BMAP;
const NUMBER: Id = 0xffff;

/// Has a host try what it could offer.
pub fn ask(job: &mut Job) {
    let vmm = format!("/{}", vmm::PROGRAM);

    // What is of no interest would be long.
    let line = format!(
        "set -o pipefail; pfr1=$({vmm} dump -a | sed -n 's/^{ID_AA64PFR1_EL1:#x} //p'); \
         printf '{ID_AA64PFR1_EL1:#x} 0x%x\\n' $((pfr1 & ~{PFR1_SSBS:#x})) >{HIDDEN_FILE}; \
         {vmm} restore -ad {HIDDEN_FILE} | grep -e '^[a-z]' -e '^{WORKAROUND_2:#x} '",
    );
    job.command(HIDDEN, 10, line);

    job.file(SERVICES_FILE.trim_start_matches('/'), services().to_text());
    let line = format!("{vmm} restore {SERVICES_FILE} | cut -d ' ' -f 3,4");
    job.command(SERVICES, 10, line);
}

/// A host's offers, from what a fresh VM shows and what it answered.
pub fn of(host: &Host, fresh: &Dump, transcript: &Transcript) -> Result<HostOffers> {
    let hidden = ssbs_hidden(transcript.section(HIDDEN)?);
    let refused = refused(transcript.section(SERVICES)?);
    offers(host, fresh, hidden, refused).with_context(|| format!("what {} offers", host.name))
}

fn offers(
    host: &Host,
    fresh: &Dump,
    hidden: Result<Option<u64>>,
    refused: Result<BTreeSet<(Id, u64)>>,
) -> Result<HostOffers> {
    let (hidden, refused) = (hidden?, refused?);
    let offer = |&(id, value): &(Id, u64)| match is_bitmap(id) {
        true => (
            id,
            bits().filter(|bit| !refused.contains(&(id, *bit))).sum(),
        ),
        false => (id, value),
    };
    let registers: Vec<(Id, u64)> = fresh.registers.iter().map(offer).collect();

    let host_offers = || {
        let offers = Registers::new(registers)?;
        let hidden = Registers::new(hidden.map(|value| (WORKAROUND_2, value)))?;
        HostOffers::new(
            &host.name,
            host.about(),
            host.kernel.handlers(),
            offers,
            hidden,
        )
    };
    host_offers().map_err(|error: String| anyhow!(error))
}

/// What `WORKAROUND_2` is in a VM from which SSBS is hidden. None where the kernel does not let a
/// VMM hide it, as 6.1 does not.
fn ssbs_hidden(Section { status, output, .. }: &Section) -> Result<Option<u64>> {
    let answers = answer::parse(&[HIDDEN_FILE.to_owned()], *status, output)?;
    let refused = answers[0].refusals.iter().map(|refusal| refusal.id);
    match answers[0].saved[..] {
        [(WORKAROUND_2, value)] => Ok(Some(value)),
        [] if refused.eq([ID_AA64PFR1_EL1]) => Ok(None),
        _ => bail!("a VM without SSBS shows\n{output}"),
    }
}

/// Each bit of each bitmap.
fn services() -> Stream {
    let ids = COLUMNS.into_iter().map(|(id, _)| id);
    let ids = ids.filter(|id| is_bitmap(*id));
    let registers = ids.flat_map(|id| bits().map(move |bit| (id, Some(bit))));
    Stream {
        name: SERVICES.to_owned(),
        registers: registers.collect(),
    }
}

/// The bits that were refused: lines, and at last their number.
fn refused(Section { status, output, .. }: &Section) -> Result<BTreeSet<(Id, u64)>> {
    let mut lines: Vec<&str> = output.lines().collect();
    let count = lines.pop().unwrap_or_default().trim();
    let refused: Option<BTreeSet<_>> = lines.into_iter().map(registers::line).collect();
    let whole = |refused: &BTreeSet<_>| count == refused.len().to_string();
    let refused = refused.filter(|refused| *status == 0 && whole(refused));
    let refused = refused
        .with_context(|| format!("the list of services that there are not ends with `{count}`"))?;
    ensure!(!refused.is_empty(), "all services, even unknown ones");
    Ok(refused)
}

fn is_bitmap(id: Id) -> bool {
    id & !NUMBER == BITMAPS
}

fn bits() -> impl Iterator<Item = u64> {
    (0..u64::BITS).map(|bit| 1 << bit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::example;

    const STD: Id = BITMAPS;

    fn section(output: &str) -> Section {
        Section {
            name: String::new(),
            status: 0,
            output: output.to_owned(),
        }
    }

    #[test]
    fn every_bit_of_every_bitmap_is_tried() {
        let registers = services().registers;
        assert_eq!(registers.len(), 4 * 64);
        assert_eq!(registers[0], (STD, Some(1)));
        assert_eq!(registers[255], (STD + 3, Some(1 << 63)));
    }

    #[test]
    fn a_list_that_is_not_whole_is_an_error() {
        let line = format!("{STD:#x} 0x2\n");
        let found = refused(&section(&format!("{line}1 \n"))).unwrap();
        assert_eq!(found, [(STD, 2)].into());
        for output in ["", "0", "1", &line, &format!("{line}2"), "vmm: trouble\n1"] {
            assert!(refused(&section(output)).is_err(), "{output}");
        }
    }

    #[test]
    fn a_vm_without_ssbs_shows_one_register() {
        let accepted = format!("accepted {HIDDEN_FILE}\n");
        let shown = format!("{accepted}{WORKAROUND_2:#x} 0x3\n");
        assert_eq!(ssbs_hidden(&section(&shown)).unwrap(), Some(3));
        let refused = format!("refused {HIDDEN_FILE} {ID_AA64PFR1_EL1:#x} 0x0 EINVAL\n");
        let kept = Section {
            status: 1,
            ..section(&format!("{refused}rejected {HIDDEN_FILE} 1\n"))
        };
        assert_eq!(ssbs_hidden(&kept).unwrap(), None);
        for output in ["", &accepted, &shown.replace("0002 ", "0003 ")] {
            assert!(ssbs_hidden(&section(output)).is_err(), "{output}");
        }
    }

    #[test]
    fn an_offer_is_more_than_a_fresh_vm_shows() {
        let fresh = Dump {
            source: "good".to_owned(),
            registers: vec![(WORKAROUND_2, 0), (STD, 0)],
        };
        let refused: BTreeSet<_> = bits().skip(1).map(|bit| (STD, bit)).collect();
        let host = &example().hosts[0];
        let found = offers(host, &fresh, Ok(Some(3)), Ok(refused)).unwrap();
        assert!(found.offers.values().eq([(WORKAROUND_2, 0), (STD, 1)]));
        assert!(found.ssbs_hidden.values().eq([(WORKAROUND_2, 3), (STD, 1)]));
    }
}
