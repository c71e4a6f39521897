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
    if before.0.ran && before.0.registers != after.0.registers {
        return Some("frozen: a promise of a VM that has run has changed".to_owned());
    }
    None
}

/// What is broken in what is seen of a VM, if anything. `worsened` is which vulnerabilities of its
/// host are worse than when the trial began: what was promised before is kept then, as well as it
/// can be.
pub fn broken_state(seen: &Seen, vm: &Vm, host: &Host, worsened: [bool; 3]) -> Option<String> {
    for (register, promise) in seen.registers.into_iter().enumerate() {
        let excused = (1..=3).contains(&register) && worsened[register - 1];
        if !excused && exceeds(register, promise, offer(register, vm, host)) {
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
