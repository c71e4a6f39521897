// SPDX-License-Identifier: GPL-2.0

//! Rust KVM sample: what this host can promise to virtual machines.
//!
//! At boot, it logs the host's state of the Spectre vulnerabilities, from which follows what the
//! firmware pseudo-registers can offer, and which hypercall services KVM implements.
//!
//! uAPI document: `Documentation/virt/kvm/arm/fw-pseudo-registers-acceptance.rst`.

use kernel::{
    kvm::{
        self,
        smccc::Services,
        spectre, //
    },
    prelude::*, //
};

module! {
    type: RustKvmOffers,
    name: "rust_kvm_offers",
    authors: ["The arm64 KVM firmware pseudo-register authors"],
    description: "Rust KVM sample: what this host can promise to virtual machines",
    license: "GPL",
}

struct RustKvmOffers;

impl kernel::Module for RustKvmOffers {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        if !kvm::is_initialised() {
            pr_err!("KVM does not work on this machine\n");
            return Err(ENODEV);
        }

        pr_info!("SMCCC_ARCH_WORKAROUND_1: {:?}\n", spectre::v2());
        pr_info!("SMCCC_ARCH_WORKAROUND_2: {:?}\n", spectre::v4());
        pr_info!("SMCCC_ARCH_WORKAROUND_3: {:?}\n", spectre::bhb());
        for services in [
            Services::Std,
            Services::StdHyp,
            Services::VendorHyp,
            Services::VendorHyp2,
        ] {
            pr_info!("{:?}: {:#x}\n", services, services.implemented());
        }
        Ok(Self)
    }
}
