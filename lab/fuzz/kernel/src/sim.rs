// SPDX-License-Identifier: GPL-2.0

//! What the component runs in: a host, user memory, a trace, and other threads.
//!
//! Each thread has a simulation of its own.

use core::cell::{Cell, RefCell};

use crate::memory::thread_local;

/// What the kernel knows of its own vulnerabilities: each is an `enum mitigation_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spectre {
    pub v2: u32,
    pub v4: u32,
    pub bhb: u32,
}

/// An event `kvm_arm_fw_reg_set`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub vcpu_id: i32,
    pub id: u64,
    pub value: u64,
    pub promise: u64,
    pub offer: u64,
    pub verdict: u32,
}

/// What another thread does.
type Meanwhile = Box<dyn FnOnce()>;

struct Sim {
    /// Whether KVM was found to work.
    has_kvm: Cell<bool>,
    /// The parameter of a module that the kernel's command line has, and its value.
    param: Cell<Option<(&'static str, bool)>>,
    spectre: Cell<Spectre>,
    /// How many locks are held.
    locks: Cell<u32>,
    scene: RefCell<Scene>,
    violation: Cell<Option<&'static str>>,
    log: RefCell<Vec<String>>,
    /// What another thread does at one of the next accesses, and how many are before it.
    meanwhile: RefCell<Option<(u32, Meanwhile)>>,
}

impl Sim {
    fn new() -> Self {
        Self {
            has_kvm: Cell::new(true),
            param: Cell::new(None),
            spectre: Cell::new(Spectre {
                v2: 0,
                v4: 0,
                bhb: 0,
            }),
            locks: Cell::new(0),
            scene: RefCell::default(),
            violation: Cell::new(None),
            log: RefCell::default(),
            meanwhile: RefCell::default(),
        }
    }
}

thread_local! {
    static SIM: Sim = Sim::new();
}

/// Forgets what an earlier run may have left.
pub fn reset() {
    SIM.with(|sim| {
        sim.has_kvm.set(true);
        sim.param.set(None);
        sim.locks.set(0);
        sim.scene.take();
        sim.violation.take();
        sim.log.take();
        sim.meanwhile.take();
    });
}

/// Whether KVM works on this machine.
pub fn set_kvm(works: bool) {
    SIM.with(|sim| sim.has_kvm.set(works));
}

pub(crate) fn has_kvm() -> bool {
    SIM.with(|sim| sim.has_kvm.get())
}

/// What the kernel's command line has for a module.
pub fn set_param(param: Option<(&'static str, bool)>) {
    SIM.with(|sim| sim.param.set(param));
}

pub(crate) fn param(name: &str) -> Option<bool> {
    let param = SIM.with(|sim| sim.param.get());
    param
        .filter(|(set, _)| *set == name)
        .map(|(_, value)| value)
}

/// From now on the component runs on this host.
pub fn set_spectre(spectre: Spectre) {
    SIM.with(|sim| sim.spectre.set(spectre));
}

pub(crate) fn spectre() -> Spectre {
    SIM.with(|sim| sim.spectre.get())
}

/// What one system call sees and leaves: user memory, and the trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// The words at [`user::ADDRESS`]: all the user memory that there is.
    pub words: Vec<u64>,
    /// How often user memory was accessed, with success or without.
    pub accesses: u32,
    pub events: Vec<Event>,
}

/// Sets the scene. What was there before is returned.
pub fn set_scene(scene: Scene) -> Scene {
    SIM.with(|sim| sim.scene.replace(scene))
}

pub(crate) fn trace(event: Event) {
    access();
    SIM.with(|sim| {
        if sim.locks.get() > 0 {
            violation("an event is left while a lock is held");
        }
        sim.scene.borrow_mut().events.push(event);
    });
}

/// The first thing that must never be done, and was.
pub fn take_violation() -> Option<&'static str> {
    SIM.with(|sim| {
        if sim.locks.replace(0) > 0 {
            violation("a lock is still held");
        }
        sim.violation.take()
    })
}

pub(crate) fn violation(what: &'static str) {
    SIM.with(|sim| sim.violation.set(sim.violation.get().or(Some(what))));
}

/// What was logged.
pub fn take_log() -> Vec<String> {
    SIM.with(|sim| sim.log.take())
}

#[doc(hidden)]
pub fn log(message: String) {
    SIM.with(|sim| sim.log.borrow_mut().push(message));
}

pub(crate) fn locked() {
    SIM.with(|sim| sim.locks.set(sim.locks.get() + 1));
}

pub(crate) fn unlocked() {
    SIM.with(|sim| sim.locks.set(sim.locks.get().saturating_sub(1)));
}

/// Lets another thread do something while this one is at work: after `accesses` of this thread's to
/// what both can see, not counting those with a lock held, for which the other would wait.
pub fn meanwhile(accesses: u32, what: impl FnOnce() + 'static) {
    SIM.with(|sim| *sim.meanwhile.borrow_mut() = Some((accesses, Box::new(what))));
}

/// Lets the other thread do what it did not get to.
pub fn catch_up() {
    let waiting = SIM.with(|sim| sim.meanwhile.take());
    if let Some((_, what)) = waiting {
        what();
    }
}

/// This thread is about to access something that others can see.
pub(crate) fn access() {
    let due = SIM.with(|sim| {
        if sim.locks.get() > 0 {
            return None;
        }
        let mut meanwhile = sim.meanwhile.borrow_mut();
        match meanwhile.as_mut() {
            Some((0, _)) => meanwhile.take(),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        }
    });
    if let Some((_, what)) = due {
        what();
    }
}

/// User memory: the words of the scene.
pub mod user {
    use super::*;

    pub const ADDRESS: usize = 0x1_0000;

    pub(crate) fn read(address: usize) -> Option<u64> {
        at(address, |word| *word)
    }

    pub(crate) fn write(address: usize, value: u64) -> Option<()> {
        at(address, |word| *word = value)
    }

    fn at<T>(address: usize, what: impl FnOnce(&mut u64) -> T) -> Option<T> {
        access();
        SIM.with(|sim| {
            if sim.locks.get() > 0 {
                violation("user memory is accessed while a lock is held");
            }
            let mut scene = sim.scene.borrow_mut();
            scene.accesses += 1;
            let offset = address.checked_sub(ADDRESS)?;
            let index = (offset % size_of::<u64>() == 0).then_some(offset / size_of::<u64>())?;
            scene.words.get_mut(index).map(what)
        })
    }
}
