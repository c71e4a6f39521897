// SPDX-License-Identifier: GPL-2.0

//! The kernel's attribute macros, as far as the component uses them.

use proc_macro::{Literal, TokenStream, TokenTree};

/// Stands for the kernel's `#[export]`, which gives the function its C name and compares it with the
/// C prototype. Here it is called from Rust, and a panic in it is told like any other mistake:
/// `extern "C"` becomes `extern "C-unwind"`.
#[proc_macro_attribute]
pub fn export(_: TokenStream, function: TokenStream) -> TokenStream {
    let unwinding = |token| match token {
        TokenTree::Literal(literal) if literal.to_string() == "\"C\"" => {
            Literal::string("C-unwind").into()
        }
        other => other,
    };
    function.into_iter().map(unwinding).collect()
}
