// SPDX-License-Identifier: GPL-2.0

use std::path::PathBuf;

use crate::files::{dumps, hosts};

const HOST: &str = r#"{"host":"a","offers":["0x6030000000140003 0x1"]}"#;
const DUMP: &str = r#"{"dump":"a","registers":["0x6030000000140003 0x1"]}"#;
const LINE: &str = "0x6030000000140003 0x1\n";

fn matrix_of(cells: &str) -> String {
    format!(
        "{{\n\"hosts\": [{HOST}],\n\"dumps\": [{DUMP}],\n\"cells\": [{cells}],\n\
         \"schema\": \"fw-regs-matrix/3\"}}\n"
    )
}

/// A fingerprint over many lines, as Firecracker writes it.
fn fingerprint(value: u64) -> String {
    let modifier = |id: &str, value| {
        format!("      {{\n        \"addr\": \"{id}\",\n        \"bitmap\": \"0b{value:0128b}\"\n      }}")
    };
    let modifiers = [
        modifier("0x603000000013c021", 0),
        modifier("0x6030000000140003", value),
    ];
    format!(
        "{{\n  \"firecracker_version\": \"1.16.0-dev\",\n  \"kernel_version\": \"6.18.30\",\n  \
         \"guest_cpu_config\": {{\n    \"kvm_capabilities\": [],\n    \"reg_modifiers\": [\n{}\n    ]\n  }}\n}}",
        modifiers.join(",\n")
    )
}

/// Entries by name with what they say of WORKAROUND_3, and what is broken.
fn read(files: &[(&str, &str)], what: &str) -> (String, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    files
        .iter()
        .for_each(|(name, text)| fs_err::write(path(name), text).unwrap());
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| path(name)).collect();
    let mut broken = Vec::new();
    let told: Vec<String> = match what {
        "hosts" => {
            let hosts = hosts(&paths, &mut broken).into_iter();
            hosts
                .map(|host| {
                    format!(
                        "{}={:?}",
                        host.name,
                        host.offers.values().collect::<Vec<_>>()[0].1
                    )
                })
                .collect()
        }
        _ => {
            let dumps = dumps(&paths, &mut broken).into_iter();
            dumps
                .map(|dumps| {
                    format!(
                        "{}={:?}",
                        dumps.names.join("+"),
                        dumps.registers.value(0x6030_0000_0014_0003).unwrap()
                    )
                })
                .collect()
        }
    };
    let root = format!("{}/", dir.path().display());
    let broken = broken.iter().map(|error| error.replace(&root, ""));
    (told.join(" "), broken.collect())
}

#[test]
fn all_forms_are_read_in_one_call() {
    let named = |text: &str, name: &str| text.replace(r#""a""#, &format!("\"{name}\""));
    let files = |entry: &str| {
        [
            ("one.jsonl", named(entry, "one")),
            (
                "two.jsonl",
                format!("\n{}\n\n{}", named(entry, "two"), named(entry, "three")),
            ),
            ("matrix.json", matrix_of("")),
            ("fingerprint.json", fingerprint(2)),
            ("compact.json", fingerprint(0).replace(['\n', ' '], "")),
            (
                "template",
                r#"{"reg_modifiers":[{"addr":"0x6030000000140003","bitmap":"0bB"}]}"#
                    .replace('B', &format!("{:064b}", 1)),
            ),
            ("plain.txt", LINE.to_owned()),
        ]
    };
    let all = |entry: &str, what| {
        let files = files(entry);
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, &**text)).collect();
        read(&files, what)
    };
    let expected = "one=1 two=1 three=1 a=1 fingerprint=2 compact=0 template=1 plain=1";
    assert_eq!(all(HOST, "hosts"), (expected.to_owned(), vec![]));
    // Those without SSBS are VMs of another kind.
    let expected = "one+two+three+a+template+plain=1 fingerprint=2 compact=0";
    assert_eq!(all(DUMP, "dumps"), (expected.to_owned(), vec![]));
}

#[test]
fn a_plain_dump_may_have_all_registers() {
    let text = format!("0x603000000013c021 0x1\n{LINE}0x6030000000100042 0x3c5\n");
    assert_eq!(read(&[("vm", &text)], "dumps"), ("vm=1".to_owned(), vec![]));
    let (told, broken) = read(&[("vm", "0x6030000000100042 0x3c5\n")], "dumps");
    assert_eq!((&*told, broken.len()), ("", 1));
    assert!(
        broken[0].starts_with("vm:1: no firmware pseudo-register"),
        "{broken:?}"
    );
}

#[test]
fn what_is_broken_is_told_with_its_line_and_the_rest_is_read() {
    let b = HOST.replace(r#""a""#, r#""b""#);
    let truncated = fingerprint(1).replace("]\n  }\n}", "");
    let cases: &[(&str, &str, &str)] = &[
        (
            &format!("{HOST}\n{{}}\n{b}"),
            "a=1 b=1",
            "f:2:2: missing field `host`",
        ),
        (
            &format!("{HOST}\n{HOST}\n{b}"),
            "a=1 b=1",
            "f:2: another host named `a`",
        ),
        (
            &format!("{}\n{b}", &HOST[..12]),
            "b=1",
            "f:1:12: EOF while parsing",
        ),
        (
            &format!("{}\n{b}", &HOST[..30]),
            "b=1",
            "f:1:30: EOF while parsing",
        ),
        (
            &format!("\n{HOST},\n{b}"),
            "b=1",
            "f:2:49: trailing characters",
        ),
        (
            &format!("{HOST}\n\u{fffd}\n{b}"),
            "a=1 b=1",
            "f:2: no JSON object",
        ),
        (&HOST.replace(r#""a""#, r#""""#), "", "f:1: \"\" is no name"),
        ("", "", "f: no host"),
        ("host a\n", "", "f:1: neither JSON nor a line of the form"),
        (&matrix_of("{}"), "", "f:4:12: missing field `vm`"),
        (&truncated, "", "f:14:7: EOF while parsing"),
        (
            &fingerprint(3),
            "",
            "f:1: no offer: SMCCC_ARCH_WORKAROUND_3 = 3: malformed",
        ),
        (&format!("{LINE}0x1"), "", "f:2: `0x1` is not of the form"),
        (
            &format!("{LINE}{LINE}"),
            "",
            "f:1: SMCCC_ARCH_WORKAROUND_3 is there twice",
        ),
        (
            DUMP,
            "",
            "f:1:7: unknown field `dump`, expected one of `host`",
        ),
    ];
    for (text, told, message) in cases {
        let (found, broken) = read(&[("f", text)], "hosts");
        assert_eq!(found, *told, "{text}");
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert!(
            broken[0].starts_with(message),
            "{broken:?} is not {message}"
        );
    }
    let dump = DUMP.replace("0x1", "1");
    let (_, broken) = read(&[("f", &dump)], "dumps");
    assert!(
        broken[0].starts_with("f:1:49: `0x6030000000140003 1` is not of the form"),
        "{broken:?}"
    );
}

#[test]
fn files_of_one_name_are_told_apart_or_refused() {
    let (told, broken) = read(&[("f", LINE), ("f.txt", LINE), ("g", LINE)], "dumps");
    assert_eq!(told, "f+g=1");
    assert_eq!(broken, ["f.txt:1: another dump named `f`"]);
}
