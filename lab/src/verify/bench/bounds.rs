// SPDX-License-Identifier: GPL-2.0

//! What the Rust handlers may cost, measured by those in C.

use anyhow::{ensure, Context, Result};
use regex::Regex;

use super::{Figures, FLOOR, STRICT, TRACED};
use crate::model::results::Case;

/// How many times its bound a figure may be.
const EACH: f64 = 1.10;
/// How many times the code of C's handlers, of which strict VMs need more: a register may have two
/// values, what was stored and the offer.
const TEXT: f64 = 1.15;
/// How many times what bounds them all accesses to default VMs may cost together.
const ALL: f64 = 1.00;

/// What bounds a figure: that of C's by the name on the right of the first pattern that fits, and
/// nothing where there is none. A figure that no pattern fits is bounded by C's own.
///
/// All sets that get as far as the lock take it in Rust, and few do in C: those are bounded by one
/// that does. C takes it where it stores a bitmap, and asks for the host's state for WORKAROUND_2.
const BOUNDS: [(&str, &str); 8] = [
    (r"^(traced/.*|boot|bytes/rodata|bytes/text-apart)$", ""),
    (
        r"^strict/(ran/)?set/WORKAROUND_./(same|other)$",
        "${1}set/WORKAROUND_2/same",
    ),
    (
        r"^strict/(ran/)?set/[^/]+/(same|other)$",
        "${1}set/STD_BMAP/${2}",
    ),
    // Of accesses to strict VMs, only sets that are stored are bounded: a get may take another way.
    (r"^strict/", ""),
    (
        r"^(ran/)?set/WORKAROUND_[13]/(same|other)$",
        "${1}set/WORKAROUND_2/same",
    ),
    (
        r"^(ran/)?set/WORKAROUND_[13]/above-offer$",
        "${1}set/WORKAROUND_2/above-offer",
    ),
    (
        r"^(ran/)?set/PSCI_VERSION/(same|other)$",
        "${1}set/STD_BMAP/${2}",
    ),
    // The one that C refuses with the lock held.
    (
        r"^(ran/)?set/\w+_BMAP(_2)?/above-offer$",
        "ran/set/STD_BMAP/other",
    ),
];

/// What is done on many vCPUs.
const PER_VCPU: [&str; 3] = ["list", "get-all", "set-all"];

/// A figure of Rust's beside those of C's.
pub struct Compared<'a> {
    pub name: &'a str,
    pub rust: f64,
    /// The same of C's.
    pub c: Option<f64>,
    /// Which of C's bounds it, and what that is.
    pub bound: Option<(String, f64)>,
}

/// All figures with the handlers alone: the floor is subtracted.
pub fn compare<'a>(c: &Figures, rust: &'a Figures) -> Result<Vec<Compared<'a>>> {
    let mut bounds = Vec::new();
    for (pattern, peer) in BOUNDS {
        bounds.push((Regex::new(pattern)?, peer));
    }
    let floor = |of: &Figures| of.get(FLOOR).copied().context("the floor was not measured");
    let (c_floor, rust_floor) = (floor(c)?, floor(rust)?);
    // What other figures have besides the handlers is most of them.
    let less = |name: &str, cost: f64, floor: f64| match is_single(name) {
        true => cost - floor,
        false => cost,
    };
    let of_c = |name: &str| Some(less(name, *c.get(name)?, c_floor));
    let rust = rust.iter().filter(|(name, _)| *name != FLOOR);
    let row = |(name, cost): (&'a String, &f64)| {
        let peer = bound(&bounds, name);
        Compared {
            name,
            rust: less(name, *cost, rust_floor),
            c: of_c(plain(name)),
            bound: of_c(&peer).map(|cost| (peer, cost)),
        }
    };
    Ok(rust.map(row).collect())
}

fn bound(bounds: &[(Regex, &str)], name: &str) -> String {
    for (pattern, peer) in bounds {
        if let Some(found) = pattern.captures(name) {
            let mut bound = String::new();
            found.expand(peer, &mut bound);
            return bound;
        }
    }
    name.to_owned()
}

/// Without how it was measured.
fn plain(name: &str) -> &str {
    match name.split_once('/') {
        Some((STRICT | TRACED, plain)) => plain,
        _ => name,
    }
}

/// Whether it is of a single access from userspace.
fn is_single(name: &str) -> bool {
    name.split('/').any(|word| word == "get" || word == "set")
}

/// Each figure that is bounded, and all single accesses to default VMs together.
pub fn all(rows: &[Compared]) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let (mut rust_sum, mut c_sum, mut strict) = (0.0, 0.0, false);
    for row in rows {
        let Some((peer, c)) = &row.bound else {
            continue;
        };
        let whose = format!("C's {peer}");
        let most = if row.name == "bytes/text" { TEXT } else { EACH };
        cases.push(at_most(row.name, row.rust, most, *c, &whose));
        if plain(row.name) != row.name {
            strict = true;
        } else if is_single(row.name) {
            rust_sum += row.rust;
            c_sum += c;
        }
    }
    ensure!(
        strict && c_sum > 0.0,
        "too little was measured with both kernels"
    );
    cases.push(at_most("sum", rust_sum, ALL, c_sum, "C's sum"));
    Ok(cases)
}

/// What a vCPU costs must not depend on how many there are.
pub fn flat(rust: &Figures) -> Vec<Case> {
    let case = |(name, cost): (&String, &f64)| {
        let (scene, _) = name.split_once('/')?;
        let one = rust.get(&format!("{scene}/1"))?;
        let is_flat = || at_most(name, *cost, 1.0, *one, "a single vCPU");
        PER_VCPU.contains(&scene).then(is_flat)
    };
    rust.iter().filter_map(case).collect()
}

/// Whether a figure is at most so many times another one.
pub fn at_most(name: &str, figure: f64, times: f64, bound: f64, whose: &str) -> Case {
    if figure <= times * bound {
        return Case::pass(name);
    }
    let ratio = figure / bound;
    Case::fail(
        name,
        format!("{figure:.1}, {ratio:.2} x the {bound:.1} of {whose}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_that_c_does_not_lock_is_bounded_by_another() {
        let bounds = BOUNDS.map(|(pattern, peer)| (Regex::new(pattern).unwrap(), peer));
        for (name, expected) in [
            ("get/WORKAROUND_1", "get/WORKAROUND_1"),
            ("list/1", "list/1"),
            ("bytes/text", "bytes/text"),
            ("set/STD_BMAP/other", "set/STD_BMAP/other"),
            ("set/STD_BMAP/above-offer", "ran/set/STD_BMAP/other"),
            (
                "set/VENDOR_HYP_BMAP_2/above-offer",
                "ran/set/STD_BMAP/other",
            ),
            ("set/PSCI_VERSION/malformed", "set/PSCI_VERSION/malformed"),
            ("ran/set/PSCI_VERSION/same", "ran/set/STD_BMAP/same"),
            ("set/WORKAROUND_1/other", "set/WORKAROUND_2/same"),
            ("ran/set/WORKAROUND_2/same", "ran/set/WORKAROUND_2/same"),
            (
                "set/WORKAROUND_3/above-offer",
                "set/WORKAROUND_2/above-offer",
            ),
            ("strict/set/PSCI_VERSION/other", "set/STD_BMAP/other"),
            ("strict/set/VENDOR_HYP_BMAP_2/same", "set/STD_BMAP/same"),
            (
                "strict/ran/set/WORKAROUND_1/same",
                "ran/set/WORKAROUND_2/same",
            ),
            ("strict/get/WORKAROUND_2", ""),
            ("strict/set/PSCI_VERSION/malformed", ""),
            ("traced/set/STD_BMAP/same", ""),
            ("bytes/text-apart", ""),
        ] {
            assert_eq!(bound(&bounds, name), expected, "{name}");
        }
    }

    /// Figures of C's with these in place of the same ones, or besides.
    fn but(others: &[(&str, f64)]) -> Figures {
        let of_c = [
            (FLOOR, 500.0),
            ("get/A", 600.0),
            ("set/STD_BMAP/same", 700.0),
            ("list/1", 9000.0),
            ("bytes/text", 1000.0),
        ];
        let all = of_c.iter().chain(others);
        all.map(|(name, cost)| (name.to_string(), *cost)).collect()
    }

    fn failed(others: &[(&str, f64)]) -> Vec<String> {
        let strict = ("strict/set/A/same", 700.0);
        let (c, rust) = (but(&[]), but(&[&[strict][..], others].concat()));
        let cases = all(&compare(&c, &rust).unwrap()).unwrap();
        let failed = cases.into_iter().filter(Case::failed);
        failed.map(|case| case.name).collect()
    }

    #[test]
    fn each_may_be_a_tenth_more_and_the_code_a_bit() {
        // The sum is of no matter here.
        let cheap = ("set/STD_BMAP/same", 600.0);
        assert_eq!(failed(&[]), [""; 0]);
        assert_eq!(failed(&[cheap, ("get/A", 609.9)]), [""; 0]);
        assert_eq!(failed(&[cheap, ("get/A", 610.1)]), ["get/A"]);
        for (name, enough, too_much) in [
            ("list/1", 9899.0, 9901.0),
            ("bytes/text", 1149.0, 1151.0),
            ("strict/set/B/same", 719.9, 720.1),
        ] {
            assert_eq!(failed(&[(name, enough)]), [""; 0]);
            assert_eq!(failed(&[(name, too_much)]), [name]);
        }
        let unbounded = [("traced/get/A", 9999.0), ("strict/get/A", 9999.0)];
        assert_eq!(failed(&unbounded), [""; 0]);
    }

    #[test]
    fn all_together_must_not_cost_more() {
        assert_eq!(failed(&[("get/A", 600.1)]), ["sum"]);
        // None of the accesses.
        assert_eq!(failed(&[("get/A", 599.9), ("list/1", 9899.0)]), [""; 0]);
    }

    #[test]
    fn strict_vms_must_be_measured() {
        let c = but(&[]);
        assert!(all(&compare(&c, &c).unwrap()).is_err());
    }

    #[test]
    fn more_for_more_vcpus_fails() {
        let failed = |eight| {
            let rust = but(&[("list/1", 100.0), ("list/8", eight), ("threads/1", 1.0)]);
            flat(&rust).iter().filter(|case| case.failed()).count()
        };
        assert_eq!(failed(100.0), 0);
        assert_eq!(failed(100.1), 1);
    }
}
