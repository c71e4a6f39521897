// SPDX-License-Identifier: GPL-2.0

//! The floor of a fleet: the strongest promises that every host can keep. A VM that has been given
//! no more can move anywhere.

use fw_regs_policy::{promises_nothing, Register};

use crate::{Hosts, Kind, Offered};

/// One register's part of it.
pub struct Bound<'a> {
    pub register: Register,
    pub promise: u64,
    /// What it follows from, most hosts first.
    pub offers: &'a [Offered],
}

/// Why there is no floor: VMs of some hosts have a register that others refuse, whatever its value.
#[derive(Debug)]
pub struct NoFloor<'a> {
    pub register: Register,
    /// Who does not know it.
    pub strangers: &'a Offered,
    /// VMs could ignore it there.
    pub can_be_nothing: bool,
}

/// The floor for VMs of this kind. With `null_promises`, VMs ignore registers that a host does not
/// know and that promise nothing.
///
/// # Errors
///
/// There is none.
pub fn floor(
    hosts: &Hosts,
    kind: Kind,
    null_promises: bool,
) -> Result<Vec<Bound<'_>>, NoFloor<'_>> {
    let mut bounds = Vec::new();
    for (register, offers) in Register::ALL.into_iter().zip(hosts.offered(kind)) {
        let Some(met) = offers
            .iter()
            .filter_map(|offered| offered.offer)
            .reduce(|a, b| meet(register, a, b))
        else {
            continue;
        };
        let promise = match offers.iter().find(|offered| offered.offer.is_none()) {
            None => met,
            Some(strangers) => nothing(register).filter(|_| null_promises).ok_or(NoFloor {
                register,
                strangers,
                can_be_nothing: nothing(register).is_some(),
            })?,
        };
        bounds.push(Bound {
            register,
            promise,
            offers,
        });
    }
    Ok(bounds)
}

/// The best that hosts with either offer can keep: the lesser one, or the services that both have.
fn meet(register: Register, a: u64, b: u64) -> u64 {
    match register {
        Register::PsciVersion
        | Register::Workaround1
        | Register::Workaround2
        | Register::Workaround3 => a.min(b),
        Register::StdBmap
        | Register::StdHypBmap
        | Register::VendorHypBmap
        | Register::VendorHypBmap2 => a & b,
    }
}

/// The promise of nothing, where the register has one.
fn nothing(register: Register) -> Option<u64> {
    let least = register.parse(0, true).ok()?;
    promises_nothing(register.into(), least).then_some(least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{host, vm, PSCI, STD, USUAL, WA1, WA3};
    use crate::{Handlers, Question, Verdicts};
    use std::collections::BTreeSet;

    /// All promises of a register; of services, those of three bits.
    fn promises(register: Register) -> BTreeSet<u64> {
        let values = (0..8).chain(0x1_0000..0x1_0008);
        let parsed = values.filter_map(|value| register.parse(value, true).ok());
        parsed
            .filter(|value| *value < 8 || register == Register::PsciVersion)
            .collect()
    }

    #[test]
    fn the_meet_is_the_greatest_that_both_keep() {
        for register in Register::ALL {
            let promises = promises(register);
            assert!(promises.len() > 1, "{register:?}");
            for a in &promises {
                for b in &promises {
                    let met = meet(register, *a, *b);
                    let both_keep = |value| register.fits(value, *a) && register.fits(value, *b);
                    assert!(both_keep(met), "{register:?} {a:#x} {b:#x}");
                    for other in promises.iter().filter(|value| both_keep(**value)) {
                        assert!(register.fits(*other, met), "{register:?} {a:#x} {b:#x}");
                    }
                }
            }
        }
    }

    #[test]
    fn most_registers_can_promise_nothing() {
        assert_eq!(nothing(Register::PsciVersion), None);
        for register in Register::ALL.into_iter().skip(1) {
            assert_eq!(nothing(register), Some(0), "{register:?}");
        }
    }

    fn hosts(all: &[&[(u64, u64)]]) -> Hosts {
        let host = |(index, offers): (usize, &&[(u64, u64)])| {
            host(&format!("h{index}"), Handlers::Rust, offers)
        };
        Hosts::new(all.iter().enumerate().map(host).collect(), &[USUAL].into())
    }

    fn values(hosts: &Hosts, null_promises: bool) -> Result<Vec<(u64, u64)>, &'static str> {
        let floor = floor(hosts, USUAL, null_promises);
        let floor = floor.map_err(|none| none.register.name())?;
        Ok(floor
            .iter()
            .map(|bound| (bound.register.into(), bound.promise))
            .collect())
    }

    #[test]
    fn the_floor_may_be_less_than_any_offer() {
        let hosts = hosts(&[
            &[(PSCI, 0x1_0003), (WA1, 1), (WA3, 2), (STD, 0b011)],
            &[(PSCI, 0x1_0001), (WA1, 2), (WA3, 1), (STD, 0b110)],
        ]);
        let expected = [(PSCI, 0x1_0001), (WA1, 1), (WA3, 1), (STD, 0b010)];
        assert_eq!(values(&hosts, false).unwrap(), expected);

        let question = Question {
            null_promises: false,
            most: 1,
        };
        assert_eq!(Verdicts::new(&hosts, &vm(&expected), question).hosts, 2);
    }

    #[test]
    fn a_register_that_is_unknown_somewhere_promises_nothing_or_there_is_no_floor() {
        let old = hosts(&[&[(PSCI, 0x1_0003), (STD, 1)], &[(PSCI, 0x1_0003)]]);
        assert_eq!(values(&old, false), Err("STD_BMAP"));
        assert_eq!(values(&old, true).unwrap(), [(PSCI, 0x1_0003), (STD, 0)]);

        let strange = hosts(&[&[(PSCI, 0x1_0003), (STD, 1)], &[(STD, 1)]]);
        assert_eq!(values(&strange, true), Err("PSCI_VERSION"));
    }
}
