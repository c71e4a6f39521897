// SPDX-License-Identifier: GPL-2.0

use proc_macro2::TokenStream;
use quote::{
    format_ident,
    quote, //
};
use syn::{
    parse::Parser,
    punctuated::Punctuated,
    spanned::Spanned,
    Data,
    DeriveInput,
    Error,
    Fields,
    Ident,
    Meta,
    Result,
    Token, //
};

/// The integer types that can be in `#[repr]`.
const INTEGERS: [&str; 12] = [
    "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
];

/// A fieldless enum with an integer as its representation.
struct FieldlessEnum {
    name: Ident,
    integer: Ident,
    variants: Vec<Ident>,
}

impl FieldlessEnum {
    fn parse(input: &DeriveInput, derive: &str) -> Result<Self> {
        let Data::Enum(data) = &input.data else {
            let message = format!("`{derive}` can only be derived for an enum");
            return Err(Error::new(input.ident.span(), message));
        };
        if !input.generics.params.is_empty() {
            let message = format!("`{derive}` cannot be derived for a generic enum");
            return Err(Error::new(input.generics.span(), message));
        }
        if data.variants.is_empty() {
            let message = format!("`{derive}` cannot be derived for an enum without variants");
            return Err(Error::new(input.ident.span(), message));
        }
        for variant in &data.variants {
            if !matches!(variant.fields, Fields::Unit) {
                let message = format!("`{derive}` can only be derived for an enum without fields");
                return Err(Error::new(variant.span(), message));
            }
        }
        Ok(Self {
            name: input.ident.clone(),
            integer: integer(input, derive)?,
            variants: data.variants.iter().map(|v| v.ident.clone()).collect(),
        })
    }
}

/// Finds the integer type in `#[repr]`.
fn integer(input: &DeriveInput, derive: &str) -> Result<Ident> {
    for attr in input.attrs.iter().filter(|a| a.path().is_ident("repr")) {
        let metas = Punctuated::<Meta, Token![,]>::parse_terminated;
        let metas = metas.parse2(attr.meta.require_list()?.tokens.clone())?;
        let mut words = metas.iter().filter_map(|meta| meta.path().get_ident());
        if let Some(word) = words.find(|word| INTEGERS.iter().any(|integer| word == integer)) {
            return Ok(word.clone());
        }
    }
    let message = format!("`{derive}` needs the integer type of the enum, such as `#[repr(u32)]`");
    Err(Error::new(input.ident.span(), message))
}

pub(crate) fn try_from(input: DeriveInput) -> Result<TokenStream> {
    let FieldlessEnum {
        name,
        integer,
        variants,
    } = FieldlessEnum::parse(&input, "TryFrom")?;
    let numbers: Vec<Ident> = (0..variants.len()).map(|i| format_ident!("N{i}")).collect();
    Ok(quote! {
        #[automatically_derived]
        impl ::core::convert::TryFrom<#integer> for #name {
            /// The integer that is no discriminant.
            type Error = #integer;

            #[inline]
            fn try_from(value: #integer) -> ::core::result::Result<Self, #integer> {
                #(const #numbers: #integer = #name::#variants as #integer;)*
                match value {
                    #(#numbers => ::core::result::Result::Ok(#name::#variants),)*
                    _ => ::core::result::Result::Err(value),
                }
            }
        }
    })
}

pub(crate) fn into(input: DeriveInput) -> Result<TokenStream> {
    let FieldlessEnum { name, integer, .. } = FieldlessEnum::parse(&input, "Into")?;
    Ok(quote! {
        #[automatically_derived]
        impl ::core::convert::From<#name> for #integer {
            #[inline]
            fn from(value: #name) -> Self {
                value as #integer
            }
        }
    })
}
