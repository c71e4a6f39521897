// SPDX-License-Identifier: GPL-2.0

//! The floor of a fleet: the strongest promises that every host can keep. A VM that has been given
//! no more can move anywhere.

use fw_regs_policy::{promises_nothing, Promise, Register, Services};

use crate::{Hosts, Kind, Offered};

/// One register's part of it.
pub struct Bound<'a> {
    pub register: Register,
    pub promise: Promise,
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
            .reduce(meet)
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

/// The best that both can keep: the lesser promise, or what two sets of services have in common.
fn meet(a: Promise, b: Promise) -> Promise {
    match (a, b) {
        _ if a.within(b) => a,
        (Promise::Services(a), Promise::Services(b)) => {
            Promise::Services(Services::from_value(a.value() & b.value()))
        }
        _ => b,
    }
}

/// The promise of nothing, where the register has one.
fn nothing(register: Register) -> Option<Promise> {
    let least = Promise::parse(register, 0, true).ok()?;
    promises_nothing(register.id(), least.value()).then_some(least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dump, Dumps, Host, Moves, Offers, Question};
    use fw_regs_policy::{Bitmap, Level, PsciVersion, Ssbd};

    /// All promises of a register; of services, those of three bits.
    fn promises(register: Register) -> Vec<Promise> {
        match register {
            Register::PsciVersion => PsciVersion::ALL.map(Promise::Psci).to_vec(),
            Register::Workaround1 | Register::Workaround3 => {
                Level::ALL.map(Promise::Workaround).to_vec()
            }
            Register::Workaround2 => [Ssbd::NOT_AVAILABLE, Ssbd::NOT_REQUIRED]
                .map(Promise::Ssbd)
                .to_vec(),
            Register::Bitmap(_) => (0..8)
                .map(|bits| Promise::Services(Services::from_value(bits)))
                .collect(),
        }
    }

    #[test]
    fn the_meet_is_the_greatest_that_both_keep() {
        for register in Register::ALL {
            let promises = promises(register);
            for a in &promises {
                for b in &promises {
                    let met = meet(*a, *b);
                    assert!(met.within(*a) && met.within(*b), "{a:?} {b:?}");
                    for other in promises.iter().filter(|c| c.within(*a) && c.within(*b)) {
                        assert!(other.within(met), "{a:?} {b:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn most_registers_can_promise_nothing() {
        assert_eq!(nothing(Register::PsciVersion), None);
        for register in Register::ALL.into_iter().skip(1) {
            assert_eq!(nothing(register).map(Promise::value), Some(0));
        }
        assert!(nothing(Register::Bitmap(Bitmap::VendorHyp2)).is_some());
    }

    const USUAL: Kind = Kind {
        psci_0_2: true,
        ssbs_visible: true,
    };

    fn hosts(all: &[&[(u64, u64)]]) -> Hosts {
        let host = |(index, values): (usize, &&[(u64, u64)])| {
            let mut offers = Offers::default();
            for (id, value) in *values {
                offers.offer(*id, *value).unwrap();
            }
            Host {
                name: format!("h{index}"),
                offers,
                ssbs_hidden: offers,
            }
        };
        Hosts::new(all.iter().enumerate().map(host).collect(), &[USUAL].into())
    }

    fn values(hosts: &Hosts, null_promises: bool) -> Result<Vec<(u64, u64)>, &'static str> {
        let floor = floor(hosts, USUAL, null_promises);
        let floor = floor.map_err(|none| none.register.name())?;
        Ok(floor
            .iter()
            .map(|bound| (bound.register.id(), bound.promise.value()))
            .collect())
    }

    const PSCI: u64 = Register::PsciVersion.id();
    const WA1: u64 = Register::Workaround1.id();
    const WA3: u64 = Register::Workaround3.id();
    const STD: u64 = Register::Bitmap(Bitmap::Std).id();

    #[test]
    fn the_floor_may_be_less_than_any_offer() {
        let hosts = hosts(&[
            &[(PSCI, 0x1_0003), (WA1, 1), (WA3, 2), (STD, 0b011)],
            &[(PSCI, 0x1_0001), (WA1, 2), (WA3, 1), (STD, 0b110)],
        ]);
        let expected = [(PSCI, 0x1_0001), (WA1, 1), (WA3, 1), (STD, 0b010)];
        assert_eq!(values(&hosts, false).unwrap(), expected);

        let vm = Dump {
            name: "vm".to_owned(),
            kind: USUAL,
            registers: expected.to_vec(),
        };
        let question = Question {
            null_promises: false,
            most: 1,
        };
        let dumps = Dumps::group(vec![vm]);
        assert_eq!(Moves::new(&hosts, &dumps[0], question).hosts, 2);
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
