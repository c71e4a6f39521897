// SPDX-License-Identifier: GPL-2.0

//! What userspace and the C side of KVM do to a VM, and what comes of it.

use kernel::sim::Event;

/// One thing that is done to a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// `KVM_SET_ONE_REG`.
    Set {
        /// Which of the VM's vCPUs.
        vcpu: usize,
        id: u64,
        value: u64,
        /// Whether the value can be read.
        mapped: bool,
    },
    /// `KVM_GET_ONE_REG`.
    Get {
        id: u64,
        /// Whether the value can be written.
        mapped: bool,
    },
    /// `KVM_GET_REG_LIST`, with room for so many ids.
    List { room: usize },
    /// Writes the field SSBS of `ID_AA64PFR1_EL1`.
    Ssbs(u8),
    /// `KVM_RUN`.
    Run,
    /// `KVM_ENABLE_CAP` with `KVM_CAP_ARM_FW_REGS_STRICT`.
    Enable(Enable),
}

/// What goes with `KVM_CAP_ARM_FW_REGS_STRICT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enable {
    /// The field `flags`, which has to be 0.
    pub flags: u32,
    /// The first is the capability's flags.
    pub args: [u64; 4],
}

impl Enable {
    /// With these flags of the capability, and nothing else.
    pub fn plain(flags: u64) -> Self {
        Self {
            flags: 0,
            args: [flags, 0, 0, 0],
        }
    }
}

/// What comes of an [`Act`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// 0 or a negative errno.
    pub answer: i32,
    /// Whether user memory was accessed.
    pub touched: bool,
    /// User memory afterwards.
    pub words: Vec<u64>,
    pub events: Vec<Event>,
}

impl Outcome {
    /// Where there is neither user memory nor an event.
    pub fn answer(answer: i32) -> Self {
        Self {
            answer,
            touched: false,
            words: Vec::new(),
            events: Vec::new(),
        }
    }
}

/// What user memory holds where nothing was written.
pub const UNTOUCHED: u64 = 0xdead_beef_dead_beef;

/// All that can be seen of a VM: by userspace, by its guest, and by the C side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What get returns, in the order of the ids; the errno if it fails.
    pub registers: [u64; 8],
    /// What `SMCCC_ARCH_FEATURES` answers about the workarounds 1, 2 and 3, and about no workaround.
    pub features: [i32; 4],
    /// What the guest's call `PSCI_VERSION` returns.
    pub psci: u64,
    /// The bits that the C side asks when the guest calls a service.
    pub services: [u64; 4],
    pub ssbs: u8,
    pub ran: bool,
    pub strict: bool,
    pub accepts_null: bool,
    /// What `KVM_CHECK_EXTENSION` says of `KVM_CAP_ARM_FW_REGS_STRICT`.
    pub capability: i32,
}

#[cfg(feature = "loom")]
impl Seen {
    /// What the guest gets when it asks for a register.
    pub fn asked(&self, register: usize) -> u64 {
        match register {
            0 => self.psci,
            1..=3 => self.features[register - 1] as u64,
            _ => self.services[register - 4],
        }
    }
}
