// SPDX-License-Identifier: GPL-2.0

use super::*;

/// What a host with the C handlers said: how `vm` ended, what it told, what QEMU said, and what
/// the guest wrote.
fn said(status: i32, told: &str, errors: &str, serial: &str) -> Transcript {
    let section = |(name, status, output): (&str, i32, &str)| Section {
        name: name.to_owned(),
        status,
        output: output.to_owned(),
    };
    let saved = (SAVED, 0, "sum  -\nQUJD\nREVG\n");
    let sections = [
        (VM, status, told),
        (SERIAL, 0, serial),
        (ERRORS, 0, errors),
        saved,
    ];
    Transcript {
        kernel: String::new(),
        served: String::new(),
        sections: sections.map(section).into(),
    }
}

const LINE: &str = "line 1 psci 0x10003 wa1 0 wa2 -2 wa3 -1\n";

fn read_all(said: &Transcript) -> (End, Option<Packed>) {
    read(said, Handlers::C, &mut Page::default())
}

#[test]
fn a_guest_that_goes_on_is_packed_and_can_be_cut() {
    let (end, packed) = read_all(&said(0, "act start\nact save\n", "", LINE));
    assert!(matches!(end, End::Written(Lines { written: 1, .. })));
    let mut packed = packed.unwrap();
    assert_eq!((&*packed.sum, &*packed.packed), ("sum  -", "QUJD\nREVG\n"));
    packed.cut();
    assert_eq!(packed.packed, "QUJD\n");
}

#[test]
fn a_refusal_is_about_registers_and_all_else_is_a_failure() {
    let register = "qemu-system-aarch64: Could not set register fw reg 1 to 1 (is 0)\n";
    let (end, packed) = read_all(&said(REFUSED, "act load\n", &register.repeat(2), ""));
    let End::Refused(refused) = end else {
        panic!("{end:?}");
    };
    assert_eq!(
        refused.message,
        ["Could not set register fw reg 1 to 1 (is 0)"]
    );
    assert_eq!((refused.writes, packed), (None, None));

    let load = "qemu-system-aarch64: load of migration failed: Input/output error\n";
    let cases = [
        (
            said(REFUSED, "act load\n", load, ""),
            "does not load what it is sent: load of",
        ),
        (
            said(1, "act lines\nvm: the guest hangs\n", "", LINE),
            "the guest hangs\n",
        ),
        (
            said(143, "act lines\nTerminated\n", "", LINE),
            "`vm` ended with status 143",
        ),
        (said(0, "act start\n", "", "line 1 psci"), "no whole line"),
        (
            said(0, "act start\nreset 999\n", "", LINE),
            "no bytes 0 to 999",
        ),
    ];
    for (said, message) in cases {
        let (end, packed) = read_all(&said);
        let End::Failed(error) = end else {
            panic!("{message}: {end:?}");
        };
        assert!(error.contains(message), "{message}: {error}");
        assert!(error.contains("\n  last act: act "), "{error}");
        assert!(error.contains("\n  the guest wrote last: "), "{error}");
        assert_eq!(packed, None);
    }
}

#[test]
fn acts_are_told_by_one_command() {
    let line = |errand: &Errand| {
        let mut job = Job::default();
        ask(&mut job, Handlers::C, errand);
        job.commands()[0].line.clone()
    };
    let packed = Packed {
        sum: String::new(),
        packed: String::new(),
    };
    let (from, acts) = (Some((Way::Stream, &packed)), &[Act::Reset, Act::Cut][..]);
    let to = Some(Way::Snapshot);
    let cpu = "host";
    let all = line(&Errand {
        cpu,
        from,
        acts,
        to,
    });
    assert_eq!(all, "CPU=host /bin/vm load lines reset lines record");
    let (from, acts, to) = (None, &[][..], None);
    let all = line(&Errand {
        cpu,
        from,
        acts,
        to,
    });
    assert_eq!(all, "CPU=host /bin/vm start lines");
}
