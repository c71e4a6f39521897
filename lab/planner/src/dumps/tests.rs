// SPDX-License-Identifier: GPL-2.0

use super::*;

const DUMP: &str = r#"{"dump":"vm","ssbs_visible":false,"registers":["0x6030000000140002 0x3","0x6030000000140004 0x0"]}"#;

#[test]
fn a_dump_survives_its_text() {
    let vm: SavedVm = serde_json::from_str(DUMP).unwrap();
    assert_eq!(serde_json::to_string(&vm).unwrap(), DUMP);
    assert!(vm.psci_0_2 && !vm.ssbs_visible);
}

#[test]
fn bad_dumps_are_refused() {
    let cases = [
        (r#""registers":[]"#, "no registers"),
        (
            r#""registers":["0x603000000013c021 0x0"]"#,
            "not a firmware pseudo-register",
        ),
        (
            r#""registers":["0x6030000000140001 0x1","0x6030000000140001 0x2"]"#,
            "twice",
        ),
        (r#""registers":["0x6030000000140001 -"]"#, "not of the form"),
        (r#""registers":{}"#, "invalid type"),
    ];
    for (keys, message) in cases {
        let line = format!(r#"{{"dump":"vm",{keys}}}"#);
        let error = serde_json::from_str::<SavedVm>(&line).unwrap_err();
        assert!(error.to_string().contains(message), "{line}: {error}");
    }
}
