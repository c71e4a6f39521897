// SPDX-License-Identifier: GPL-2.0

use std::path::PathBuf;

use super::*;
use floor::{floor, pins, FloorArgs, PinsArgs};
use give::Format;
use moves::{moves, AnswerArgs, MovesArgs};

/// The lab's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Tells nobody what is broken.
fn silent() -> Session {
    Session::new(io::sink())
}

fn testdata(name: &str) -> PathBuf {
    root().join("testdata").join(name)
}

fn moves_of(hosts: &str, dumps: &str, all: bool, json: bool) -> String {
    let args = MovesArgs {
        hosts: vec![testdata(hosts)],
        dumps: vec![testdata(dumps)],
        how: AnswerArgs {
            all,
            json,
            ..AnswerArgs::default()
        },
    };
    let mut out = Vec::new();
    moves(&mut out, &args, &mut silent()).unwrap();
    String::from_utf8(out).unwrap()
}

/// The floor in a format, and what is left to the host.
fn given(hosts: &[PathBuf], format: Format) -> (String, String) {
    let args = FloorArgs {
        hosts: hosts.to_vec(),
        ssbs_hidden: false,
        null_promises: true,
        format,
        explain: false,
    };
    let (mut out, err) = (Vec::new(), tempfile::NamedTempFile::new().unwrap());
    floor(&mut out, &args, &mut Session::new(err.reopen().unwrap())).unwrap();
    (
        String::from_utf8(out).unwrap(),
        fs_err::read_to_string(err.path()).unwrap(),
    )
}

fn floor_of(hosts: &str, explain: bool) -> String {
    let args = FloorArgs {
        hosts: vec![testdata(hosts)],
        ssbs_hidden: false,
        null_promises: false,
        format: Format::Ids,
        explain,
    };
    let mut out = Vec::new();
    floor(&mut out, &args, &mut silent()).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_vm_with_the_floor_moves_anywhere() {
    let floor = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(floor.path(), floor_of("matrix.json", false)).unwrap();
    let args = MovesArgs {
        hosts: vec![testdata("matrix.json")],
        dumps: vec![floor.path().to_owned()],
        how: AnswerArgs {
            json: true,
            ..AnswerArgs::default()
        },
    };
    let mut out = Vec::new();
    moves(&mut out, &args, &mut silent()).unwrap();
    let line: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(line["accepted"], line["hosts"]);
}

#[test]
fn few_names_are_told_or_all() {
    let some = moves_of("matrix.json", "matrix.json", false, false);
    assert!(some.contains("\n    offer 0: 5 hosts: a57, a72, a64fx, n1-off, 1 more\n"));
    let all = moves_of("matrix.json", "matrix.json", true, false);
    assert!(all.contains("\n    offer 0: 5 hosts: a57, a72, a64fx, n1-off, max\n"));
    assert!(all.ends_with(
        "\n20 dumps (8 different) to 9 hosts (5 different): \
         91 of 180 moves accepted, 0 dumps accepted nowhere\n"
    ));
}

#[test]
fn programs_get_an_object_for_each_different_dump() {
    let text = moves_of("upgrade-hosts.jsonl", "upgrade-dumps.jsonl", true, true);
    let refusal = concat!(
        r#"{"register":"0x6030000000140003","value":"0x2","reason":"exceeds the offer","#,
        r#""hosts":1,"different_offers":1,"#,
        r#""offers":[{"offer":"0x1","hosts":1,"refused_by":["h3"]}]}"#
    );
    let expected = [
        format!(
            r#"{{"dumps":["vm-1","vm-2"],"hosts":3,"accepted":2,"accepted_by":["h1","h2"],"refusals":[{refusal}]}}"#
        ),
        r#"{"dumps":["vm-3"],"hosts":3,"accepted":3,"accepted_by":["h1","h2","h3"],"refusals":[]}"#
            .to_owned(),
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);

    let some = moves_of("upgrade-hosts.jsonl", "upgrade-dumps.jsonl", false, true);
    assert!(!some.contains("accepted_by") && !some.contains("refused_by"));
}

#[test]
fn the_explained_floor_tells_who_sets_it() {
    let text = floor_of("upgrade-hosts.jsonl", true);
    assert!(text.contains(
        "SMCCC_ARCH_WORKAROUND_3 = 1 (available)\n    offer 2: 2 hosts: h1, h2\n    offer 1: 1 host: h3\n"
    ));
    assert!(text.contains("\nSTD_BMAP = 0x1\nSTD_HYP_BMAP"));
}

#[test]
fn where_there_is_no_floor_the_stranger_is_named() {
    let hosts = concat!(
        "{\"host\":\"new\",\"offers\":[\"0x6030000000140000 0x10003\",\"0x6030000000160000 0x1\"]}\n",
        "{\"host\":\"old\",\"offers\":[\"0x6030000000140000 0x10000\"]}\n",
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), hosts).unwrap();
    let mut args = FloorArgs {
        hosts: vec![file.path().to_owned()],
        ssbs_hidden: false,
        null_promises: false,
        format: Format::Ids,
        explain: false,
    };
    let error = render(&floor(&mut Vec::new(), &args, &mut silent()).unwrap_err());
    assert!(error.contains("old does not know STD_BMAP"), "{error}");
    assert!(error.contains("\nhelp: leave those hosts out; or use --null-promises"));

    args.null_promises = true;
    let mut out = Vec::new();
    floor(&mut out, &args, &mut silent()).unwrap();
    assert_eq!(out, b"0x6030000000140000 0x10000\n0x6030000000160000 0x0\n");
}

#[test]
fn a_template_is_the_floor_of_what_all_hosts_know() {
    let hosts = [testdata("upgrade-hosts.jsonl"), testdata("matrix.json")];
    let (template, left) = given(&hosts, Format::Firecracker);
    assert!(
        left.contains("left to the host: VENDOR_HYP_BMAP_2 = 0x0: not every host knows it"),
        "{left}"
    );
    assert!(
        left.contains("WORKAROUND_3 = 0 (not available): a default VM forgets it"),
        "{left}"
    );

    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), &template).unwrap();
    let mut broken = silent();
    let dumps = broken.dumps(&[file.path().to_owned()]).unwrap();
    let expected = given(&hosts, Format::Ids).0;
    let expected = expected.replace("0x6030000000160003 0x0\n", "");
    let line = |(id, value)| format!("{id:#018x} {value:#x}\n");
    assert_eq!(
        dumps[0].registers.iter().map(line).collect::<String>(),
        expected
    );
    assert!(template
        .lines()
        .nth(2)
        .unwrap()
        .ends_with(&format!("\"0b{:064b}\" }},", 0x1_0001)));
}

#[test]
fn qemu_is_told_the_psci_version_and_people_the_rest() {
    let (option, left) = given(&[testdata("upgrade-hosts.jsonl")], Format::Qemu);
    assert_eq!(option, "-cpu host,kvm-psci-version=1.1\n");
    let first = concat!(
        "left to the host: SMCCC_ARCH_WORKAROUND_1 = 2 (not required): ",
        "QEMU has no property for it; all hosts offer it\n"
    );
    assert!(left.starts_with(first), "{left}");
    assert_eq!(left.lines().count(), 8);
}

#[test]
fn programs_get_all_of_it_as_an_object() {
    let (object, left) = given(&[testdata("upgrade-hosts.jsonl")], Format::Json);
    let object: serde_json::Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["registers"][3]["value"], "0x1");
    assert_eq!(object["left_to_host"][0]["offers"][0]["hosts"][1], "h2");
    assert_eq!(
        (object["registers"].as_array().unwrap().len(), &*left),
        (7, "")
    );
}

#[test]
fn pins_are_those_of_one_dump() {
    let pins_of = |name: Option<&str>| {
        let args = PinsArgs {
            dump: testdata("upgrade-dumps.jsonl"),
            name: name.map(str::to_owned),
            hosts: vec![testdata("upgrade-hosts.jsonl")],
            null_promises: false,
            format: Format::Ids,
        };
        let mut out = Vec::new();
        let result = pins(&mut out, &args, &mut silent());
        result
            .map_err(|error| render(&error))
            .map(|()| String::from_utf8(out).unwrap())
    };
    assert_eq!(
        pins_of(Some("vm-3")).unwrap(),
        floor_of("upgrade-hosts.jsonl", false)
    );
    for (name, message) in [
        (
            None,
            "upgrade-dumps.jsonl has dumps that differ\nhelp: name one",
        ),
        (
            Some("vm-4"),
            "upgrade-dumps.jsonl has no dump named vm-4\nhelp: name one that it has: --name vm-1",
        ),
        (
            Some("vm-2"),
            "h3 refuses SMCCC_ARCH_WORKAROUND_3 = 2 (not required): exceeds the offer",
        ),
    ] {
        let error = pins_of(name).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
}
