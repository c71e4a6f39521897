// SPDX-License-Identifier: GPL-2.0

//! Sets the kernel options that the component asks about.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(CONFIG_KVM, CONFIG_KVM_ARM_FW_REGS_KUNIT_TEST)");
    println!("cargo:rustc-cfg=CONFIG_KVM");
}
