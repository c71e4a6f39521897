// SPDX-License-Identifier: GPL-2.0

//! VMs that move within a host, which boots the tests: `default` with either of the handlers,
//! `strict` with those that have strict VMs, `without` with those that do not.

use fw_regs_rust_vmm::{enable, Refusal, Register, Vm, Vmm, NULL_PROMISE, STRICT, STRICT_CAP};

/// `KVM_REG_ARM_PSCI_VERSION`, and a version that every VM may have instead of the newest.
const PSCI_VERSION: u64 = 0x6030_0000_0014_0000;
const PSCI_1_0: u64 = 0x1_0000;

/// `KVM_REG_ARM_STD_BMAP`, and a register of its class that no kernel has.
const STD_BMAP: u64 = 0x6030_0000_0016_0000;
const UNKNOWN: u64 = 0x6030_0000_0016_00ff;

/// One that no bitmap has.
const NO_SERVICE: u64 = 1 << 63;

/// Does it for each VMM, and has a failure say for which.
fn each_vmm(test: impl Fn(Vmm)) {
    for vmm in Vmm::ALL {
        println!("{vmm:?}");
        test(vmm);
    }
}

fn restored(vmm: Vmm, flags: u64, saved: &[Register]) -> Vm {
    let vm = Vm::new(flags);
    assert_eq!(vmm.restore(&vm, saved), Ok(()));
    vm
}

/// What a VM has that promises as little as one can.
fn lowered(vm: &Vm) -> Vec<Register> {
    let lower = |register: &Register| match register.id {
        PSCI_VERSION => Register::new(PSCI_VERSION, PSCI_1_0),
        id => Register::new(id, 0),
    };
    vm.pseudo().iter().map(lower).collect()
}

fn lower(vm: &Vm) {
    for register in lowered(vm) {
        assert_eq!(vm.set(&register), Ok(()));
    }
}

fn a_vm_is_restored_as_it_was_saved(flags: u64) {
    each_vmm(|vmm| {
        let source = Vm::new(flags);
        let saved = vmm.save(&source);
        let target = restored(vmm, flags, &saved);
        assert_eq!(target.pseudo(), source.pseudo());
        assert_eq!(target.pseudo().len(), 8);
        assert_eq!(vmm.save(&target).len(), saved.len());
    });
}

/// Lowers a VM, moves it twice, and writes all of it again after the run, as on a reset. It has
/// what `expected` makes of the lowered registers and those of a fresh VM.
fn a_lowered_vm_moves(flags: u64, expected: impl Fn(Register, &Register) -> Register) {
    each_vmm(|vmm| {
        let mut source = Vm::new(flags);
        let fresh = source.pseudo();
        let lowered = lowered(&source).into_iter().zip(&fresh);
        let expected: Vec<Register> = lowered.map(|(low, was)| expected(low, was)).collect();
        lower(&source);
        source.run();
        let mut there = restored(vmm, flags, &vmm.save(&source));
        assert_eq!(there.pseudo(), expected);

        there.run();
        let saved = vmm.save(&there);
        let mut back = restored(vmm, flags, &saved);
        back.run();
        assert_eq!(vmm.restore(&back, &saved), Ok(()));
        assert_eq!(back.pseudo(), expected);
    });
}

fn what_cannot_be_kept_stops_the_vmm(flags: u64) {
    each_vmm(|vmm| {
        let mut saved = vmm.save(&Vm::new(flags));
        let target = Vm::new(flags);
        let fresh = target.pseudo();
        for register in &mut saved {
            match register.id {
                STD_BMAP => *register = Register::new(STD_BMAP, NO_SERVICE),
                // Behind it, where a VMM that went on would lower it.
                id if id > STD_BMAP && register.is_pseudo() => *register = Register::new(id, 0),
                _ => (),
            }
        }
        let refusal = Refusal {
            id: STD_BMAP,
            errno: libc::EINVAL,
        };
        assert_eq!(vmm.restore(&target, &saved), Err(refusal));
        assert_eq!(target.pseudo(), fresh);
    });
}

/// Writes other values to a VM that has run. Returns the ids that were refused, all with EBUSY.
fn frozen(flags: u64) -> Vec<u64> {
    let mut vm = Vm::new(flags);
    vm.run();
    let fresh = vm.pseudo();
    let other = lowered(&vm).into_iter();
    let refused = other.filter_map(|register| vm.set(&register).err());
    let refused: Vec<Refusal> = refused.collect();
    for (before, after) in fresh.iter().zip(vm.pseudo()) {
        let was_refused = refused.iter().any(|refusal| refusal.id == after.id);
        assert!(!was_refused || *before == after, "{:#x}", after.id);
    }
    let id = |refusal: Refusal| {
        assert_eq!(refusal.errno, libc::EBUSY, "{:#x}", refusal.id);
        refusal.id
    };
    refused.into_iter().map(id).collect()
}

/// The registers of a fresh VM that are not what a lowered one has.
fn can_be_lowered(is_wanted: impl Fn(&Register) -> bool) -> Vec<u64> {
    let vm = Vm::new(0);
    let fresh = vm.pseudo().into_iter().zip(lowered(&vm));
    let fresh = fresh.filter(|(fresh, low)| fresh != low && is_wanted(fresh));
    fresh.map(|(fresh, _)| fresh.id).collect()
}

fn an_unknown_register_is_refused(flags: u64) {
    let refusal = Refusal {
        id: UNKNOWN,
        errno: libc::ENOENT,
    };
    let vm = Vm::new(flags);
    assert_eq!(vm.set(&Register::new(UNKNOWN, 0)), Err(refusal));
}

mod default {
    use super::*;

    #[test]
    fn a_vm_is_restored_as_it_was_saved() {
        super::a_vm_is_restored_as_it_was_saved(0);
    }

    #[test]
    fn a_lowered_vm_forgets_its_workarounds() {
        a_lowered_vm_moves(0, |low, fresh| {
            match low.is_level() && low.id != PSCI_VERSION {
                true => fresh.clone(),
                false => low,
            }
        });
    }

    #[test]
    fn bitmaps_are_frozen_after_the_run() {
        let bitmaps = can_be_lowered(|register| !register.is_level());
        assert!(!bitmaps.is_empty());
        assert_eq!(frozen(0), bitmaps);
    }

    #[test]
    fn what_cannot_be_kept_stops_the_vmm() {
        super::what_cannot_be_kept_stops_the_vmm(0);
    }

    #[test]
    fn an_unknown_register_is_refused() {
        super::an_unknown_register_is_refused(0);
    }
}

mod strict {
    use super::*;

    #[test]
    fn a_vm_is_restored_as_it_was_saved() {
        super::a_vm_is_restored_as_it_was_saved(STRICT);
    }

    #[test]
    fn a_lowered_vm_keeps_all() {
        a_lowered_vm_moves(STRICT, |low, _| low);
    }

    #[test]
    fn all_registers_are_frozen_after_the_run() {
        let all = can_be_lowered(|_| true);
        assert!(all.contains(&PSCI_VERSION));
        assert_eq!(frozen(STRICT), all);
    }

    #[test]
    fn what_cannot_be_kept_stops_the_vmm() {
        super::what_cannot_be_kept_stops_the_vmm(STRICT);
    }

    #[test]
    fn an_unknown_register_is_refused_unless_its_null_promise_is_wanted() {
        an_unknown_register_is_refused(STRICT);
        let vm = Vm::new(STRICT | NULL_PROMISE);
        assert_eq!(vm.set(&Register::new(UNKNOWN, 0)), Ok(()));
        assert!(vm.set(&Register::new(UNKNOWN, 1)).is_err());
    }

    #[test]
    fn strictness_comes_before_the_vcpus() {
        let vm = Vm::new(0);
        assert_eq!(enable(&vm.vm, STRICT_CAP, STRICT), Err(libc::EINVAL));
    }
}

mod without {
    use super::*;

    #[test]
    fn no_vm_is_strict() {
        let vm = Vm::new(0);
        assert_eq!(vm.vm.check_extension_raw(STRICT_CAP.into()), 0);
        let fresh = kvm_ioctls::Kvm::new().unwrap().create_vm().unwrap();
        assert_eq!(enable(&fresh, STRICT_CAP, STRICT), Err(libc::EINVAL));
    }
}
