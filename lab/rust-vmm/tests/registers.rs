// SPDX-License-Identifier: GPL-2.0

//! Not a test: prints which registers a fresh VM with all that its host can virtualize has, and the
//! values of its ID registers. This is what VMMs compare when a VM moves.

use fw_regs_rust_vmm::Vm;
use kvm_bindings::{
    KVM_REG_ARM64_SYSREG, KVM_REG_ARM64_SYSREG_CRM_SHIFT, KVM_REG_ARM64_SYSREG_CRN_SHIFT,
    KVM_REG_ARM64_SYSREG_OP0_SHIFT, KVM_REG_ARM64_SYSREG_OP1_SHIFT, KVM_REG_ARM_COPROC_MASK,
};

fn main() {
    for register in Vm::with_all_features().registers() {
        let id = register.id as u32;
        if id & KVM_REG_ARM_COPROC_MASK != KVM_REG_ARM64_SYSREG {
            println!("{:#018x}", register.id);
            continue;
        }
        let field = |shift: u32, bits: u32| id >> shift & ((1 << bits) - 1);
        let [op0, op1, crn, crm, op2] = [
            field(KVM_REG_ARM64_SYSREG_OP0_SHIFT, 2),
            field(KVM_REG_ARM64_SYSREG_OP1_SHIFT, 3),
            field(KVM_REG_ARM64_SYSREG_CRN_SHIFT, 4),
            field(KVM_REG_ARM64_SYSREG_CRM_SHIFT, 4),
            field(0, 3),
        ];
        // As an assembler has it.
        let name = format!("S{op0}_{op1}_C{crn}_C{crm}_{op2}");
        match (op0, crn) {
            (3, 0) => println!("{name} {:#018x}", register.value()),
            _ => println!("{name}"),
        }
    }
}
