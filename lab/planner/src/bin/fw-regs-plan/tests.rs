// SPDX-License-Identifier: GPL-2.0

use super::*;

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
        all,
        json,
        null_promises: false,
    };
    let mut out = Vec::new();
    moves(&mut out, &args, &mut silent()).unwrap();
    String::from_utf8(out).unwrap()
}

fn floor_of(hosts: &str, explain: bool) -> String {
    let args = FloorArgs {
        hosts: vec![testdata(hosts)],
        ssbs_hidden: false,
        null_promises: false,
        explain,
    };
    let mut out = Vec::new();
    floor(&mut out, &args, &mut silent()).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_readme_shows_what_is_printed() {
    let readme = fs_err::read_to_string(root().join("planner/README.md")).unwrap();
    for output in [
        moves_of("upgrade-hosts.jsonl", "upgrade-dumps.jsonl", false, false),
        floor_of("upgrade-hosts.jsonl", false),
    ] {
        for line in output.lines().filter(|line| !line.is_empty()) {
            let line = format!("\n    {line}\n");
            assert!(readme.contains(&line), "{line}");
        }
    }
}

#[test]
fn a_vm_with_the_floor_moves_anywhere() {
    let floor = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(floor.path(), floor_of("matrix.json", false)).unwrap();
    let args = MovesArgs {
        hosts: vec![testdata("matrix.json")],
        dumps: vec![floor.path().to_owned()],
        all: false,
        json: true,
        null_promises: false,
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
