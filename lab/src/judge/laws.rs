// SPDX-License-Identifier: GPL-2.0

//! What must hold for the Rust handlers, wherever VMs go: laws for strict VMs, and agreement with
//! the C handlers for default ones.

use std::collections::BTreeSet;

use anyhow::Result;

use super::agreement::agreement;
use super::differences::Cause;
use crate::base::error::Broken;
use crate::base::kernel::Handlers;
use crate::model::answer::Answer;
use crate::model::heard::Heard;
use crate::model::matrix::Refusal;
use crate::model::moves::Moves;
use crate::model::reason::Reason;

/// # Errors
///
/// Everything that is broken.
pub fn check(heard: &Heard, moves: &Moves) -> Result<()> {
    let broken: Vec<String> = [
        same_host(heard),
        way_back(heard),
        homes(heard),
        discovery(heard),
        mistakes(heard),
        agreement(heard),
        unexplained(moves),
    ]
    .concat();
    if !broken.is_empty() {
        let broken = broken.join("\n  ");
        return Err(Broken(format!("the Rust handlers are broken:\n  {broken}")).into());
    }
    Ok(())
}

/// The moves to hosts with the Rust handlers: for what others do they cannot be blamed.
fn moves(heard: &Heard) -> impl Iterator<Item = (usize, usize)> + '_ {
    let rust = |host: usize| heard.hosts[host].kernel.handlers() == Handlers::Rust;
    heard.moves().filter(move |(_, host)| rust(*host))
}

/// A host that refuses what it has just offered.
fn same_host(heard: &Heard) -> Vec<String> {
    let refuses = |host: &usize| !heard.strict.there(*host, *host).accepted();
    (0..heard.hosts.len())
        .filter(refuses)
        .map(|host| format!("{} refuses what it offers itself", heard.hosts[host].name))
        .collect()
}

/// A VM that was accepted, but has been told something else then, so that it cannot go back. That
/// its first kernel does not know a register that the VM did not bring is no one's fault.
fn way_back(heard: &Heard) -> Vec<String> {
    let refused = |&(dump, host): &(usize, usize)| {
        let brought = &heard.dumps[dump].registers;
        let is_brought = |refusal: &Refusal| brought.iter().any(|(id, _)| *id == refusal.id);
        let back = heard.strict.back(dump, host);
        back.is_some_and(|answer| answer.refusals.iter().any(is_brought))
    };
    let told = |(dump, host): (usize, usize)| {
        let (origin, host) = (&heard.dumps[dump].source, &heard.hosts[host].name);
        format!("{origin} refuses its own VM when it comes back from {host}")
    };
    moves(heard).filter(refused).map(told).collect()
}

/// A move in which the two kinds of VM differ by none of the deviations that are meant.
fn unexplained(moves: &Moves) -> Vec<String> {
    let named = moves.named(|dump, host| Cause::Unexplained.applies(moves, dump, host));
    let told = |(from, to)| format!("moved from {from} to {to}, a default VM fares otherwise");
    named.into_iter().map(told).collect()
}

/// A fresh VM that is not what moved from its host, or whose guest is told something else than its
/// registers say. This is where all moves begin, so it must hold for all kinds of VM.
fn homes(heard: &Heard) -> Vec<String> {
    let mut broken = Vec::new();
    for (vm, answers) in [
        ("a strict VM", &heard.strict),
        ("a default VM", &heard.default),
        ("a VM with the C handlers", &heard.c),
    ] {
        for (index, home) in answers.home.iter().enumerate() {
            let host = format!("{} to {vm}", heard.hosts[index].name);
            if home.dump != heard.dumps[index] {
                broken.push(format!("{host}: another offer than was moved"));
            }
            for what in home.told.contradictions(&home.dump.registers) {
                broken.push(format!("{host}: {what}"));
            }
        }
    }
    broken
}

/// A guest that is told something else than what its VM's registers say where it moved.
fn discovery(heard: &Heard) -> Vec<String> {
    let mut broken = Vec::new();
    for (dump, host) in moves(heard) {
        for what in heard.contradictions(&heard.strict, dump, host) {
            let (origin, host) = (&heard.dumps[dump].source, &heard.hosts[host].name);
            broken.push(format!("moved from {origin} to {host}, {what}"));
        }
    }
    broken
}

/// A mistake that is not refused for the reasons that it should be.
fn mistakes(heard: &Heard) -> Vec<String> {
    let mut broken = Vec::new();
    let hosts = heard.hosts.iter().zip(&heard.strict.mistakes);
    for (host, answers) in hosts.filter(|(host, _)| host.kernel.handlers() == Handlers::Rust) {
        for (mistake, answer) in heard.mistakes.iter().zip(answers) {
            let met = reasons(answer);
            if met != mistake.reasons {
                broken.push(format!(
                    "{} answers to {}: {}; it should be: {}",
                    host.name,
                    mistake.name,
                    list(&met),
                    list(&mistake.reasons)
                ));
            }
        }
    }
    broken
}

fn reasons(answer: &Answer) -> BTreeSet<Reason> {
    let whys = answer.refusals.iter().filter_map(|refusal| refusal.why);
    whys.map(|why| why.reason).collect()
}

fn list(reasons: &BTreeSet<Reason>) -> String {
    if reasons.is_empty() {
        return "no reason".to_owned();
    }
    let texts: Vec<&str> = reasons.iter().map(|reason| reason.text()).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::{example, told_of};
    use crate::model::registers::VENDOR_HYP_BMAP_2;

    fn checked(heard: &Heard) -> Result<()> {
        told_of(heard, |moves| check(heard, moves))
    }

    fn complaint(spoil: impl FnOnce(&mut Heard)) -> String {
        let mut heard = example();
        checked(&heard).unwrap();
        spoil(&mut heard);
        checked(&heard).unwrap_err().to_string()
    }

    #[test]
    fn a_host_must_accept_what_it_offers() {
        let text = complaint(|heard| heard.strict.there[1][1] = heard.strict.there[1][0].clone());
        assert!(
            text.contains("\n  bad refuses what it offers itself"),
            "{text}"
        );
    }

    #[test]
    fn a_vm_must_be_able_to_go_back() {
        let text = complaint(|heard| heard.strict.back[1][0] = heard.default.back[1][0].clone());
        let expected = "\n  bad refuses its own VM when it comes back from good";
        assert!(text.contains(expected), "{text}");

        // But for a register that only the other host's kernel knows.
        let mut heard = example();
        let mut back = heard.default.back[1][0].clone().unwrap();
        for refusal in &mut back.refusals {
            refusal.id = VENDOR_HYP_BMAP_2;
        }
        heard.strict.back[1][0] = Some(back);
        checked(&heard).unwrap();
    }

    #[test]
    fn a_guest_must_be_told_what_its_registers_say() {
        let text = complaint(|heard| {
            heard.strict.there[0][1].told = heard.default.there[0][1].told.clone()
        });
        let expected = "\n  moved from bad to good, the guest is told 1 of SMCCC_ARCH_WORKAROUND_1";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_host_must_offer_what_it_did_and_its_guest_be_told_so() {
        let text = complaint(|heard| heard.strict.home[1].dump = heard.dumps[0].clone());
        assert!(
            text.contains("\n  bad to a strict VM: another offer"),
            "{text}"
        );

        let text = complaint(|heard| heard.c.home[0].told = heard.c.home[1].told.clone());
        let expected = "\n  good to a VM with the C handlers: the guest is told 0 of";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn hosts_with_the_c_handlers_are_not_to_blame() {
        let mut heard = example();
        heard.hosts[0].kernel = Handlers::C.into();
        heard.strict.there = heard.default.there.clone();
        heard.strict.back = heard.default.back.clone();
        checked(&heard).unwrap();
        heard.hosts[0].kernel = Handlers::Rust.into();
        checked(&heard).unwrap_err();
    }

    #[test]
    fn a_mistake_must_be_refused_for_its_reasons() {
        let text = complaint(|heard| heard.strict.mistakes[1][0] = Answer::default());
        let expected = "\n  bad answers to from-newer-kernel: no reason; it should be: exceeds";
        assert!(text.contains(expected), "{text}");
    }
}
