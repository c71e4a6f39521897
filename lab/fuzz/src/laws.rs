// SPDX-License-Identifier: GPL-2.0

//! Laws that are looked at in what is seen, whatever the model says.

use crate::act::{Act, Outcome, Seen};
use crate::kvm::Words;
use crate::model::{exceeds, features, offer, Host, Vm};
use crate::words::NAMES;

/// What is broken by a step that one thread alone has done, if anything. `before` and `after` are
/// the VM.
pub fn broken(
    act: &Act,
    outcome: &Outcome,
    before: &(Seen, Words),
    after: &(Seen, Words),
) -> Option<String> {
    if outcome.answer != 0 && before.1 != after.1 {
        return Some("atomic: a refused call has written to the VM".to_owned());
    }
    if matches!(act, Act::Set { .. }) != (outcome.events.len() == 1) {
        return Some(format!("explained: {} trace events", outcome.events.len()));
    }
    // Of a default VM, the bitmaps.
    let first = if before.0.strict { 0 } else { 4 };
    if before.0.ran && before.0.registers[first..] != after.0.registers[first..] {
        return Some("frozen: a promise of a VM that has run has changed".to_owned());
    }
    if !after.0.strict && after.1.has_workarounds() {
        return Some("equal: a default VM keeps what a workaround was set to".to_owned());
    }
    None
}

/// What is broken in what is seen of a VM, if anything.
pub fn broken_state(seen: &Seen, vm: &Vm, host: &Host) -> Option<String> {
    for (register, promise) in seen.registers.into_iter().enumerate() {
        if exceeds(register, promise, offer(register, vm, host)) {
            return Some(format!("sound: {} exceeds the offer", NAMES[register]));
        }
    }
    for (answer, register) in seen.features.into_iter().zip(1..=3) {
        if answer != features(register, seen.registers[register]) {
            return Some(format!("faithful: the guest's view of {}", NAMES[register]));
        }
    }
    if seen.services[..] != seen.registers[4..] {
        return Some("faithful: the guest has other services than get says".to_owned());
    }
    None
}
