// SPDX-License-Identifier: GPL-2.0

//! What Firecracker and cloud-hypervisor do with the registers of a VM, through the crate by which
//! both talk to KVM.
//!
//! They copy all registers of a vCPU and know none. They save what `KVM_GET_REG_LIST` has, and write
//! that to a vCPU that was just initialized, until a write is refused. Firecracker goes by the list,
//! cloud-hypervisor writes the core registers first.

use kvm_bindings::{
    kvm_enable_cap, kvm_vcpu_init, RegList, KVM_ARM_VCPU_PMU_V3, KVM_ARM_VCPU_PSCI_0_2,
    KVM_ARM_VCPU_PTRAUTH_ADDRESS, KVM_ARM_VCPU_PTRAUTH_GENERIC, KVM_ARM_VCPU_SVE, KVM_CAP_ARM_MTE,
    KVM_CAP_ARM_PMU_V3, KVM_CAP_ARM_PTRAUTH_ADDRESS, KVM_CAP_ARM_PTRAUTH_GENERIC, KVM_CAP_ARM_SVE,
    KVM_REG_ARM_COPROC_MASK, KVM_REG_ARM_CORE, KVM_REG_ARM_FW, KVM_REG_ARM_FW_FEAT_BMAP,
};
use kvm_ioctls::{Kvm, VcpuFd, VmFd};

/// `KVM_CAP_ARM_FW_REGS_STRICT`, which the crate does not know.
pub const STRICT_CAP: u32 = 252;

/// The flags of that capability.
pub const STRICT: u64 = 1 << 0;
pub const NULL_PROMISE: u64 = 1 << 1;

/// As large as the largest register.
const MAX_SIZE: usize = 256;

/// The features of a vCPU that need a capability, with that.
const FEATURES: [(u32, u32); 4] = [
    (KVM_CAP_ARM_PMU_V3, KVM_ARM_VCPU_PMU_V3),
    (KVM_CAP_ARM_SVE, KVM_ARM_VCPU_SVE),
    (KVM_CAP_ARM_PTRAUTH_ADDRESS, KVM_ARM_VCPU_PTRAUTH_ADDRESS),
    (KVM_CAP_ARM_PTRAUTH_GENERIC, KVM_ARM_VCPU_PTRAUTH_GENERIC),
];

/// How many registers a VMM expects.
const MAX_REGS: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    pub id: u64,
    /// Its bytes, and zeros.
    bytes: [u8; MAX_SIZE],
}

impl Register {
    /// A register of 8 bytes.
    pub fn new(id: u64, value: u64) -> Self {
        let mut bytes = [0; MAX_SIZE];
        bytes[..8].copy_from_slice(&value.to_le_bytes());
        Self { id, bytes }
    }

    pub fn value(&self) -> u64 {
        let (value, _) = self.bytes.split_first_chunk().expect("there are 8 bytes");
        u64::from_le_bytes(*value)
    }

    fn is_core(&self) -> bool {
        class(self.id) == KVM_REG_ARM_CORE
    }

    pub fn is_pseudo(&self) -> bool {
        self.is_level() || class(self.id) == KVM_REG_ARM_FW_FEAT_BMAP
    }

    /// The PSCI version and the workarounds.
    pub fn is_level(&self) -> bool {
        class(self.id) == KVM_REG_ARM_FW
    }
}

fn class(id: u64) -> u32 {
    id as u32 & KVM_REG_ARM_COPROC_MASK
}

/// A write that KVM did not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub id: u64,
    pub errno: i32,
}

/// A VM with one vCPU, which has not run.
pub struct Vm {
    pub vm: VmFd,
    pub vcpu: VcpuFd,
}

impl Vm {
    /// Creates a VM with these flags, all of which the kernel must have.
    pub fn new(flags: u64) -> Self {
        let vm = create();
        if flags != 0 {
            let offered = vm.check_extension_raw(STRICT_CAP.into()) as u64;
            assert_eq!(offered & flags, flags, "the kernel lacks the capability");
            enable(&vm, STRICT_CAP, flags).expect("KVM_ENABLE_CAP");
        }
        Self::with_features(vm, &[])
    }

    /// Creates a VM with every feature of a vCPU that the host can virtualize but EL2 and AArch32.
    pub fn with_all_features() -> Self {
        let vm = create();
        let has = |cap: u32| vm.check_extension_raw(cap.into()) > 0;
        if has(KVM_CAP_ARM_MTE) {
            enable(&vm, KVM_CAP_ARM_MTE, 0).expect("KVM_ENABLE_CAP");
        }
        let mut features = FEATURES.to_vec();
        features.retain(|(cap, _)| has(*cap));
        let features: Vec<u32> = features.into_iter().map(|(_, feature)| feature).collect();
        Self::with_features(vm, &features)
    }

    fn with_features(vm: VmFd, features: &[u32]) -> Self {
        let vcpu = vm.create_vcpu(0).expect("a vCPU");
        let mut init = kvm_vcpu_init::default();
        vm.get_preferred_target(&mut init).expect("a target");
        for feature in [&[KVM_ARM_VCPU_PSCI_0_2], features].concat() {
            init.features[0] |= 1 << feature;
        }
        vcpu.vcpu_init(&init).expect("KVM_ARM_VCPU_INIT");
        if features.contains(&KVM_ARM_VCPU_SVE) {
            let sve = KVM_ARM_VCPU_SVE as i32;
            vcpu.vcpu_finalize(&sve).expect("KVM_ARM_VCPU_FINALIZE");
        }
        Self { vm, vcpu }
    }

    /// Lets KVM begin to run the vCPU. Its guest executes nothing, but the VM has run then.
    pub fn run(&mut self) {
        self.vcpu.set_kvm_immediate_exit(1);
        let interrupted = self.vcpu.run().expect_err("KVM_RUN is to end at once");
        assert_eq!(interrupted.errno(), libc::EINTR, "KVM_RUN");
        self.vcpu.set_kvm_immediate_exit(0);
    }

    pub fn get(&self, id: u64) -> Register {
        let mut register = Register::new(id, 0);
        let size = self.vcpu.get_one_reg(id, &mut register.bytes);
        size.unwrap_or_else(|error| panic!("KVM_GET_ONE_REG {id:#x}: {error}"));
        register
    }

    pub fn set(&self, register: &Register) -> Result<(), Refusal> {
        let size = self.vcpu.set_one_reg(register.id, &register.bytes);
        size.map(drop).map_err(|error| Refusal {
            id: register.id,
            errno: error.errno(),
        })
    }

    /// All registers, in the order of the list.
    pub fn registers(&self) -> Vec<Register> {
        let mut list = RegList::new(MAX_REGS).expect("room for a list");
        self.vcpu.get_reg_list(&mut list).expect("KVM_GET_REG_LIST");
        list.as_slice().iter().map(|id| self.get(*id)).collect()
    }

    /// The firmware pseudo-registers, in the order of the list.
    pub fn pseudo(&self) -> Vec<Register> {
        let mut registers = self.registers();
        registers.retain(Register::is_pseudo);
        registers
    }
}

fn create() -> VmFd {
    let vm = Kvm::new().and_then(|kvm| kvm.create_vm());
    vm.expect("a VM")
}

/// Enables a capability, with flags. An error is the errno.
pub fn enable(vm: &VmFd, cap: u32, flags: u64) -> Result<(), i32> {
    let mut cap = kvm_enable_cap {
        cap,
        ..Default::default()
    };
    cap.args[0] = flags;
    vm.enable_cap(&cap).map_err(|error| error.errno())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vmm {
    Firecracker,
    CloudHypervisor,
}

impl Vmm {
    pub const ALL: [Self; 2] = [Self::Firecracker, Self::CloudHypervisor];

    /// All registers, in the order in which this VMM writes them.
    pub fn save(self, vm: &Vm) -> Vec<Register> {
        let mut saved = vm.registers();
        if self == Self::CloudHypervisor {
            // Stable: the others keep the order of the list.
            saved.sort_by_key(|register| !register.is_core());
        }
        saved
    }

    /// Writes registers until one is refused: both stop there, and do not run the VM.
    pub fn restore(self, vm: &Vm, saved: &[Register]) -> Result<(), Refusal> {
        saved.iter().try_for_each(|register| vm.set(register))
    }
}
