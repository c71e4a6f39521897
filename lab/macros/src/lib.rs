// SPDX-License-Identifier: GPL-2.0

//! The kernel's macros, as far as the component uses them.
//!
//! `convert.rs` is a link to `rust/macros/`, where its derives are documented.

mod convert;

use proc_macro::{Literal, TokenStream, TokenTree};
use syn::{parse_macro_input, Error};

#[proc_macro_derive(TryFrom)]
pub fn derive_try_from(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input);
    convert::try_from(input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

#[proc_macro_derive(Into)]
pub fn derive_into(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input);
    convert::into(input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

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

#[cfg(test)]
mod tests {
    use super::convert;

    /// What the compiler says of an input, or the code that is made of it.
    fn derived(input: &str) -> [String; 2] {
        let input: syn::DeriveInput = syn::parse_str(input).unwrap();
        [convert::try_from(input.clone()), convert::into(input)].map(|result| match result {
            Ok(code) => code.to_string(),
            Err(error) => error.to_string(),
        })
    }

    #[test]
    fn an_enum_is_an_integer_and_back() {
        let [from, into] = derived("#[repr(u8)] enum E { A = 1, B }");
        assert!(from.contains("TryFrom < u8 > for E"), "{from}");
        assert!(into.contains("From < E > for u8"), "{into}");
    }

    #[test]
    fn the_integer_is_found_among_other_words() {
        for repr in [
            "#[repr(C, i16)]",
            "#[repr(align(8))] #[repr(i16)]",
            "#[repr(i16, align(8))]",
        ] {
            let [_, into] = derived(&format!("{repr} enum E {{ A }}"));
            assert!(into.contains("for i16"), "{into}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (input, message) in [
            ("struct S(u8);", "can only be derived for an enum"),
            ("#[repr(u8)] enum E {}", "for an enum without variants"),
            ("#[repr(u8)] enum E { A(u8) }", "for an enum without fields"),
            (
                "#[repr(u8)] enum E { A { a: u8 } }",
                "for an enum without fields",
            ),
            (
                "#[repr(u8)] enum E<T> { A }",
                "cannot be derived for a generic enum",
            ),
            ("enum E { A }", "needs the integer type of the enum"),
            (
                "#[repr(C)] enum E { A }",
                "needs the integer type of the enum",
            ),
        ] {
            let told = derived(input);
            assert!(told[0].starts_with("`TryFrom`"), "{}", told[0]);
            assert!(told[1].starts_with("`Into`"), "{}", told[1]);
            assert!(told.iter().all(|text| text.contains(message)), "{told:?}");
        }
    }
}
