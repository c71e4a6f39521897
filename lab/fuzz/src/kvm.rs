// SPDX-License-Identifier: GPL-2.0

//! The C side of KVM: it owns the VMs, and calls the component through its entry points.

use kernel::bindings::{self, kvm, kvm_one_reg, kvm_vcpu};
use kernel::ffi::c_ulong;
use kernel::sim::{self, Scene};
use kernel::sync::atomic::{ordering::Relaxed, Atomic};

use crate::act::{Act, Enable, Outcome, Seen, UNTOUCHED};

/// The ids of the vCPUs that each VM has. Userspace chooses them.
pub const VCPU_IDS: [i32; 2] = [0, 7];

const EBUSY: i32 = -16;
const EINVAL: i32 = -22;

/// What the guest asks `SMCCC_ARCH_FEATURES` about: the workarounds, and something else
/// (`SMCCC_VERSION`).
const FUNCTIONS: [u32; 4] = [0x8000_8000, 0x8000_7fff, 0x8000_3fff, 0x8000_0000];

const IDS: [u64; 8] = [
    bindings::KVM_REG_ARM_PSCI_VERSION,
    bindings::KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1,
    bindings::KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2,
    bindings::KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3,
    bindings::KVM_REG_ARM_STD_BMAP,
    bindings::KVM_REG_ARM_STD_HYP_BMAP,
    bindings::KVM_REG_ARM_VENDOR_HYP_BMAP,
    bindings::KVM_REG_ARM_VENDOR_HYP_BMAP_2,
];

/// A VM with its vCPUs.
pub struct Vm {
    kvm: *mut kvm,
    /// None, or all.
    vcpus: Vec<*mut kvm_vcpu>,
    /// The greatest value that the host has for the field SSBS.
    ssbs_limit: u8,
}

/// The words of a VM that the component may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    flags: c_ulong,
    psci_version: u32,
    services: [c_ulong; 4],
    workarounds: [u32; 3],
}

impl Words {
    /// Whether a value of a workaround is stored.
    pub fn has_workarounds(&self) -> bool {
        self.workarounds != [0; 3]
    }
}

impl Vm {
    /// `KVM_CREATE_VM`. The vCPUs will have the feature PSCI 0.2, or not.
    pub fn new(psci_0_2: bool, protected: bool, ssbs_limit: u8) -> Self {
        let kvm = Box::into_raw(Box::new(kvm::new(psci_0_2, ssbs_limit, protected)));
        // SAFETY: The VM is initialised, and known to nobody else.
        unsafe { fw_regs::kvm_arm_fw_regs_init_vm(kvm) };
        Self {
            kvm,
            vcpus: Vec::new(),
            ssbs_limit,
        }
    }

    /// `KVM_CREATE_VCPU` and `KVM_ARM_VCPU_INIT` of all vCPUs.
    pub fn create_vcpus(&mut self) {
        let kvm = self.kvm;
        let new = |vcpu_id| Box::into_raw(Box::new(kvm_vcpu { kvm, vcpu_id }));
        self.vcpus = VCPU_IDS.map(new).to_vec();
    }

    fn kvm(&self) -> &kvm {
        // SAFETY: It lives as long as `self`; what changes is in cells.
        unsafe { &*self.kvm }
    }

    /// How many ids there are in the list.
    pub fn count(&self) -> usize {
        // SAFETY: Always safe to call.
        unsafe { fw_regs::kvm_arm_get_fw_num_regs(self.vcpus[0]) as usize }
    }

    /// Does it, with user memory and a trace of its own.
    pub fn act(&self, act: &Act) -> Outcome {
        let scene = Scene {
            words: match *act {
                Act::Set { value, mapped, .. } if mapped => vec![value],
                Act::Get { mapped, .. } if mapped => vec![UNTOUCHED],
                Act::List { room } => vec![UNTOUCHED; room],
                _ => Vec::new(),
            },
            ..Scene::default()
        };
        let outer = sim::set_scene(scene);
        let answer = self.answer(act);
        let scene = sim::set_scene(outer);
        Outcome {
            answer,
            touched: scene.accesses > 0,
            words: scene.words,
            events: scene.events,
        }
    }

    fn answer(&self, act: &Act) -> i32 {
        let reg = |id| kvm_one_reg {
            id,
            addr: sim::user::ADDRESS as u64,
        };
        // SAFETY: The vCPUs and their VM are initialised and live as long as `self`, and no lock is
        // held.
        unsafe {
            match *act {
                Act::Set { vcpu, id, .. } => {
                    fw_regs::kvm_arm_set_fw_reg(self.vcpus[vcpu], &reg(id))
                }
                Act::Get { id, .. } => fw_regs::kvm_arm_get_fw_reg(self.vcpus[0], &reg(id)),
                Act::List { .. } => fw_regs::kvm_arm_copy_fw_reg_indices(
                    self.vcpus[0],
                    sim::user::ADDRESS as *mut u64,
                ),
                Act::Enable(ref enable) => self.enable(enable),
                Act::Ssbs(ssbs) => self.set_id_reg(ssbs),
                Act::Run => self.run(),
            }
        }
    }

    /// `kvm_vm_ioctl_check_extension()`.
    fn capability(&self) -> i32 {
        if self.kvm().is_protected {
            return 0;
        }
        // SAFETY: Always safe to call.
        unsafe { fw_regs::kvm_arm_fw_regs_flags() }
    }

    /// `kvm_vm_ioctl_enable_cap()`.
    fn enable(&self, enable: &Enable) -> i32 {
        if enable.flags != 0 || self.kvm().is_protected || !self.vcpus.is_empty() {
            return EINVAL;
        }
        // SAFETY: The VM lives, and has no vCPU.
        unsafe { fw_regs::kvm_arm_fw_regs_enable(self.kvm, enable.args.as_ptr()) }
    }

    fn ran(&self) -> bool {
        // SAFETY: The VM lives.
        unsafe { bindings::kvm_vm_has_ran_once(self.kvm) }
    }

    /// `set_id_reg()`.
    fn set_id_reg(&self, ssbs: u8) -> i32 {
        let kvm = self.kvm();
        bindings::mutex_lock(&kvm.arch.config_lock);
        let result = if self.ran() {
            if ssbs == kvm.ssbs.load(Relaxed) {
                0
            } else {
                EBUSY
            }
        } else if ssbs > self.ssbs_limit {
            EINVAL
        } else {
            // SAFETY: The VM lives, and the lock is held until the register is written.
            unsafe { fw_regs::kvm_arm_fw_reg_allow_ssbs(self.kvm, ssbs.into()) }
        };
        if result == 0 {
            kvm.ssbs.store(ssbs, Relaxed);
        }
        bindings::mutex_unlock(&kvm.arch.config_lock);
        result
    }

    /// `kvm_arch_vcpu_run_pid_change()`.
    fn run(&self) -> i32 {
        let kvm = self.kvm();
        bindings::mutex_lock(&kvm.arch.config_lock);
        let has_ran_once = bindings::KVM_ARCH_FLAG_HAS_RAN_ONCE as c_ulong;
        // SAFETY: The VM lives.
        unsafe { bindings::set_bit(has_ran_once, &raw mut (*self.kvm).arch.flags) };
        bindings::mutex_unlock(&kvm.arch.config_lock);
        0
    }

    pub fn words(&self) -> Words {
        let arch = &self.kvm().arch;
        Words {
            flags: arch.flag_bits.load(Relaxed),
            psci_version: arch.psci_version.load(Relaxed),
            services: self.services().map(|word| word.load(Relaxed)),
            workarounds: [0, 1, 2].map(|n: usize| arch.smccc_feat.workaround[n].load(Relaxed)),
        }
    }

    /// What `SMCCC_ARCH_FEATURES` answers.
    fn feature(&self, function: u32) -> i32 {
        // SAFETY: The vCPU lives.
        unsafe { fw_regs::kvm_arm_fw_reg_discover(self.vcpus[1], function) }
    }

    /// `kvm_psci_version()`.
    fn psci(&self) -> u64 {
        let kvm = self.kvm();
        if !kvm.psci_0_2 {
            return bindings::KVM_ARM_PSCI_0_1;
        }
        match kvm.arch.psci_version.load(Relaxed) {
            0 => bindings::KVM_ARM_PSCI_LATEST,
            version => version.into(),
        }
    }

    fn services(&self) -> [&Atomic<c_ulong>; 4] {
        let features = &self.kvm().arch.smccc_feat;
        [
            &features.std_bmap,
            &features.std_hyp_bmap,
            &features.vendor_hyp_bmap,
            &features.vendor_hyp_bmap_2,
        ]
    }

    /// What the guest gets when it asks for a register, as [`Seen::asked`].
    #[cfg(feature = "loom")]
    pub fn asked(&self, register: usize) -> u64 {
        match register {
            0 => self.psci(),
            1..=3 => self.feature(FUNCTIONS[register - 1]) as u64,
            _ => self.services()[register - 4].load(Relaxed) as u64,
        }
    }

    pub fn seen(&self) -> Seen {
        let Words {
            flags, services, ..
        } = self.words();
        let flag = |nr: u32| flags & 1 << nr != 0;
        Seen {
            registers: IDS.map(|id| {
                let got = self.act(&Act::Get { id, mapped: true });
                match got.answer {
                    0 => got.words[0],
                    errno => errno as u64,
                }
            }),
            features: FUNCTIONS.map(|function| self.feature(function)),
            psci: self.psci(),
            services: services.map(|services| services as u64),
            ssbs: self.kvm().ssbs.load(Relaxed),
            ran: self.ran(),
            strict: flag(bindings::KVM_ARCH_FLAG_FW_REGS_STRICT),
            accepts_null: flag(bindings::KVM_ARCH_FLAG_FW_REGS_NULL_PROMISE),
            capability: self.capability(),
        }
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        // SAFETY: They come from boxes, and nobody else has them any more.
        unsafe {
            for vcpu in &self.vcpus {
                drop(Box::from_raw(*vcpu));
            }
            drop(Box::from_raw(self.kvm));
        }
    }
}
