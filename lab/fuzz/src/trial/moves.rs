// SPDX-License-Identifier: GPL-2.0

//! Moving a VM: saved on one host, restored on another, and brought back.

use super::{enter, Pair, Trial};
use crate::act::Act;
use crate::input::Setup;
use crate::model::IDS;
use crate::words::Id;

/// `ID_AA64PFR1_EL1`, whose field SSBS stands for all of it.
const ID_AA64PFR1_EL1: u64 = 0x6030_0000_0013_c021;

/// The ids and values of a VM, in the order of `KVM_GET_REG_LIST`.
type Dump = Vec<(u64, u64)>;

impl Trial {
    /// The VM after it was moved from one host to another.
    pub(super) fn moved(
        &mut self,
        vm: &Pair,
        from: usize,
        to: usize,
        order: u8,
    ) -> Result<Pair, String> {
        let setup = &vm.setup;
        self.say(|| format!("move the VM on {} to {}", ["A", "B"][from], ["A", "B"][to]));
        let dump = self.save(vm, from)?;
        let (moved, accepted) = self.restore(&dump, to, setup)?;

        let mut sorted = dump.clone();
        sorted.sort_unstable();
        let mut shuffled = dump.clone();
        // Offers depend on the ID register, which is first; the others can be in any order.
        shuffled[1..].sort_by_key(|(id, _)| (id ^ u64::from(order)).wrapping_mul(0x9e37_79b9));
        for other in [sorted, shuffled] {
            let (other, _) = self.restore(&other, to, setup)?;
            if other.real.seen() != moved.real.seen() {
                return Err("a law is broken: order-free: the order of the sets matters".to_owned());
            }
        }

        // What was accepted and kept can go back. A default VM has what its host offers.
        if accepted && moved.model.strict {
            self.say(|| "bring it back".to_owned());
            let (back, accepted) = self.restore(&self.save_quietly(&moved, to), from, setup)?;
            if !accepted || self.save_quietly(&back, from) != dump {
                return Err("a law is broken: sound: a VM cannot go back to its host".to_owned());
            }
            self.reached.returned = true;
        }
        Ok(moved)
    }

    /// Reads everything out of a VM, as userspace does.
    fn save(&mut self, vm: &Pair, host: usize) -> Result<Dump, String> {
        // The model of the same VM is not changed by it.
        let mut vm = vm.clone();
        let room = vm.real.count();
        if room != IDS.len() {
            return Err(format!("KVM is told of {room} registers"));
        }
        let list = self.answer(&mut vm, host, &Act::List { room })?;
        let mut dump = vec![(ID_AA64PFR1_EL1, vm.model.ssbs.into())];
        for id in list.words {
            let got = self.answer(&mut vm, host, &Act::Get { id, mapped: true })?;
            dump.push((id, got.words[0]));
        }
        Ok(dump)
    }

    /// The same of a VM that was looked at already.
    fn save_quietly(&self, vm: &Pair, host: usize) -> Dump {
        enter(&self.hosts[host]);
        let seen = vm.real.seen();
        let mut dump = vec![(ID_AA64PFR1_EL1, seen.ssbs.into())];
        dump.extend(IDS.into_iter().zip(seen.registers));
        dump
    }

    /// Writes everything into a fresh VM, and goes on after a refusal. Also says whether there was
    /// none.
    fn restore(&mut self, dump: &Dump, host: usize, setup: &Setup) -> Result<(Pair, bool), String> {
        self.say(|| {
            let values = dump.iter().map(|(id, value)| match *id {
                ID_AA64PFR1_EL1 => format!("SSBS = {value}"),
                id => format!("{} = {value:#x}", Id(id)),
            });
            let values: Vec<String> = values.collect();
            format!("restore on {}: {}", ["A", "B"][host], values.join(", "))
        });
        let mut vm = self.fresh(host, setup)?;
        let mut accepted = true;
        for (id, value) in dump {
            let act = match *id {
                ID_AA64PFR1_EL1 => Act::Ssbs(*value as u8),
                id => Act::Set {
                    vcpu: 0,
                    id,
                    value: *value,
                    mapped: true,
                },
            };
            accepted &= self.answer(&mut vm, host, &act)?.answer == 0;
        }
        self.look(&vm, host)?;
        Ok((vm, accepted))
    }
}
