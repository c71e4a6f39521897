// SPDX-License-Identifier: GPL-2.0

use std::path::Path;

use super::*;

fn testdata(name: &str) -> PathBuf {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    lab.join("testdata").join(name)
}

/// The exit status with the answer.
fn asked(from: &str, to: &str, dumps: Option<&str>, json: bool) -> (Outcome, String) {
    let args = GateArgs {
        from: vec![testdata(from)],
        to: vec![testdata(to)],
        dumps: dumps.map(testdata).into_iter().collect(),
        how: AnswerArgs {
            json,
            ..AnswerArgs::default()
        },
    };
    let mut out = Vec::new();
    let outcome = may_move(&mut out, &args, &mut Session::new(std::io::sink())).unwrap();
    (outcome, String::from_utf8(out).unwrap())
}

const BEFORE: &str = "upgrade-hosts.jsonl";
const AFTER: &str = "upgrade-done.jsonl";

#[test]
fn the_incident_is_told_before_it_happens() {
    let (outcome, text) = asked(BEFORE, AFTER, Some("upgrade-dumps.jsonl"), false);
    assert_eq!(outcome, Outcome::Bad);
    let row = "vm-1, vm-2  any   move to h1, h2  SMCCC_ARCH_WORKAROUND_3 = 2 (not required): exceeds the offer 1\n";
    assert!(text.contains(row), "{text}");
    assert!(text.ends_with("3 VMs: 2 may no longer move everywhere; 0 could not come back if strict, 0 if default\n"), "{text}");

    // Without the VMs, fresh ones of each host; h3 was updated before.
    let (_, text) = asked(BEFORE, AFTER, None, false);
    assert!(text.contains("h1, h2  any   move to h1, h2 "), "{text}");
}

#[test]
fn the_update_taken_back_strands_default_vms() {
    let (outcome, text) = asked(AFTER, BEFORE, None, false);
    assert_eq!(outcome, Outcome::Bad);
    assert!(
        text.contains("h1, h2, h3  default  come back from h1, h2 to h1, h2, h3 "),
        "{text}"
    );

    let (_, line) = asked(AFTER, BEFORE, None, true);
    let expected = concat!(
        r#"{"dumps":["h1","h2","h3"],"may_move":true,"strict_may_come_back":true,"#,
        r#""default_may_come_back":false,"losses":[{"vm":"default","way":"come-back","#,
        r#""register":"0x6030000000140003","value":"0x2","reason":"exceeds the offer","#,
        r#""offer":"0x1","to":["h1","h2"],"back_to":["h1","h2","h3"]}]}"#,
        "\n"
    );
    assert_eq!(line, expected);
}

#[test]
fn nothing_changes_where_nothing_does() {
    for hosts in [BEFORE, AFTER, "matrix.json", "fleet.json"] {
        let (outcome, text) = asked(hosts, hosts, None, false);
        assert_eq!(outcome, Outcome::Good, "{text}");
        assert!(text.contains(": all may move from "), "{text}");
    }
}

#[test]
fn a_vm_of_nowhere_cannot_be_told_about() {
    let (outcome, text) = asked(
        "new-hosts.jsonl",
        "new-hosts.jsonl",
        Some("upgrade-dumps.jsonl"),
        false,
    );
    assert_eq!(outcome, Outcome::Trouble, "{text}");
    assert!(
        text.contains("2 VMs accepted by no host of --from"),
        "{text}"
    );
    let (_, lines) = asked(
        "new-hosts.jsonl",
        "new-hosts.jsonl",
        Some("upgrade-dumps.jsonl"),
        true,
    );
    assert!(
        lines.contains(r#""dumps":["vm-1","vm-2"],"may_move":true,"strict_may_come_back":null"#),
        "{lines}"
    );
}

#[test]
fn what_strict_and_default_vms_lose_alike_is_told_once() {
    let (_, text) = asked(AFTER, "new-hosts.jsonl", None, false);
    assert!(
        text.contains(
            "any   come back from new-1 to h1, h2, h3  VENDOR_HYP_BMAP_2 = 0x0: unknown register\n"
        ),
        "{text}"
    );
}

#[test]
fn values_beyond_some_share_a_row_below_the_others() {
    let vms: Vec<Dumps> = (0..12)
        .map(|value| {
            let line = format!(
                r#"{{"dump": "vm-{value}", "registers": ["0x6030000000160000 {value:#x}"]}}"#
            );
            Dumps::group(vec![serde_json::from_str(&line).unwrap()]).remove(0)
        })
        .collect();
    for (all, rows, others) in [(false, ROWS + 1, "vm-10 vm-11"), (true, 12, "vm-11")] {
        let mut table = Table {
            all,
            ..Table::default()
        };
        for vm in &vms {
            let (id, value) = vm.registers.iter().next().unwrap();
            let moves = planner::LostMoves {
                id,
                value,
                reason: Reason::ExceedsOffer,
                to: FixedBitSet::new(),
                offers: Vec::new(),
            };
            let lost = Lost {
                moves: vec![moves],
                ..Lost::default()
            };
            table.add(vm, &lost);
        }
        assert_eq!(table.rows.len(), rows);
        let (row, losers) = table.rows.last_key_value().unwrap();
        assert_eq!(row.value == Value::Others, !all);
        assert_eq!(losers.vms.join(" "), others);
    }
}
