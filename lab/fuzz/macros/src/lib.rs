// SPDX-License-Identifier: GPL-2.0

//! The kernel's attribute macros, as far as the component uses them.

use proc_macro::TokenStream;

/// Stands for the kernel's `#[export]`, which gives the function its C name and compares it with the
/// C prototype. Here it is called from Rust, as it is.
#[proc_macro_attribute]
pub fn export(_: TokenStream, function: TokenStream) -> TokenStream {
    function
}
