// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::testing::{host, vm, PSCI, STD, USUAL, WA1, WA2, WA3};
use crate::Handlers;

fn hosts(all: &[(&str, &[(u64, u64)])]) -> Hosts {
    let host = |(name, offers): &(&str, &[(u64, u64)])| host(name, Handlers::Rust, offers);
    Hosts::new(all.iter().map(host).collect(), &[USUAL].into())
}

/// One that is better, and one that is worse and older.
fn fleet() -> Hosts {
    hosts(&[
        ("new", &[(PSCI, 0x1_0003), (WA1, 2), (WA3, 2), (STD, 1)]),
        ("old", &[(PSCI, 0x1_0001), (WA1, 2), (WA3, 1)]),
    ])
}

/// The names of what is pinned, and of what is left and why.
fn told(reader: Reader, hosts: &Hosts, bounds: &[Bound]) -> (Vec<&'static str>, Vec<String>) {
    let told = tell(reader, hosts, USUAL, bounds);
    let pinned = told.pinned.iter().map(|bound| bound.register.name());
    let left = told.left.iter();
    let left = left.map(|left| format!("{} {:?} {:?}", left.register.name(), left.value, left.why));
    (pinned.collect(), left.collect())
}

#[test]
fn each_reader_is_told_what_it_can_do() {
    let hosts = fleet();
    let vm = vm(&[(PSCI, 0x1_0001), (WA1, 2), (WA3, 1), (STD, 0)]);
    let bounds = pins(&hosts, &vm, true).ok().unwrap();
    let workarounds = ["SMCCC_ARCH_WORKAROUND_1", "SMCCC_ARCH_WORKAROUND_3"];
    let forgotten = "SMCCC_ARCH_WORKAROUND_3 Some(1) Forgotten".to_owned();
    let (pinned, left) = told(Reader::Any, &hosts, &bounds);
    assert_eq!(
        pinned,
        ["PSCI_VERSION", workarounds[0], workarounds[1], "STD_BMAP"]
    );
    assert_eq!(left.join(""), forgotten);

    let (pinned, left) = told(Reader::Firecracker, &hosts, &bounds);
    assert_eq!(pinned, ["PSCI_VERSION", workarounds[0], workarounds[1]]);
    assert_eq!(
        left,
        [forgotten, "STD_BMAP Some(0) NotEverywhere".to_owned()]
    );

    let (pinned, left) = told(Reader::Qemu, &hosts, &bounds);
    assert_eq!(pinned, ["PSCI_VERSION"]);
    let expected = [
        "SMCCC_ARCH_WORKAROUND_1 Some(2) NoProperty",
        "SMCCC_ARCH_WORKAROUND_3 Some(1) NoProperty",
        "STD_BMAP Some(0) NoProperty",
    ];
    assert_eq!(left, expected);
}

#[test]
fn what_the_vm_does_not_have_is_left_to_hosts_that_know_it() {
    let hosts = fleet();
    let vm = vm(&[(PSCI, 0x1_0000), (WA1, 2)]);
    let bounds = pins(&hosts, &vm, false).ok().unwrap();
    let (pinned, left) = told(Reader::Any, &hosts, &bounds);
    assert_eq!(pinned, ["PSCI_VERSION", "SMCCC_ARCH_WORKAROUND_1"]);
    let expected = [
        "SMCCC_ARCH_WORKAROUND_3 None NotSaved",
        "STD_BMAP None NotSaved",
    ];
    assert_eq!(left, expected);
}

#[test]
fn a_vm_that_some_host_refuses_has_no_pins() {
    let hosts = fleet();
    for (register, who) in [((WA3, 2), "old"), ((STD, 0), "old"), ((PSCI, 1), "new")] {
        let refused = pins(&hosts, &vm(&[register]), false).err().unwrap();
        let offered = refused.refusals[0].offers[0];
        let name = hosts.names(hosts.members(offered)).next();
        assert_eq!(name, Some(who), "{register:x?}");
    }
}

#[test]
fn values_are_those_that_the_vm_has() {
    let hosts = hosts(&[("a", &[(WA2, 3)])]);
    let vm = vm(&[(WA2, 0x12)]);
    let bounds = pins(&hosts, &vm, false).ok().unwrap();
    assert_eq!(bounds[0].promise, 3);
}
