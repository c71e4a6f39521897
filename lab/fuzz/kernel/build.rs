// SPDX-License-Identifier: GPL-2.0

//! Sets the kernel options that `kernel::kvm` asks about.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(CONFIG_KVM_ARM_FW_REGS_RUST)");
    println!("cargo:rustc-cfg=CONFIG_KVM_ARM_FW_REGS_RUST");
}
