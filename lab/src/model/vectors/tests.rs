// SPDX-License-Identifier: GPL-2.0

//! Outputs of `fw_regs_vectors`, whole and mutated.

use super::*;

const ID: &str = "0x6030000000140001";

const GOOD: &str = "\
Random seed: 0x6b8b4567
vectors 1 seed 1 count 100
skip ssbs the host does not have SSBS
run fresh 0x6030000000140001 0 2 0x0 0 0 same
run fresh 0x6030000000140001 2 3 0x3 EINVAL 0 0x2
run fresh 0x6030000000140002 0 4 0x0 0 0 same
run ran 0x6030000000140001 0 1 0x0 0 0 same
end 10
";

/// A stream as (count, first value, set's result).
fn stream(runs: &[(u64, u64, &str)]) -> Vectors {
    let mut text = "vectors 1 seed 1 count 9\n".to_owned();
    let mut index = 0;
    for (count, first, set) in runs {
        text += &format!("run fresh {ID} {index} {count} {first:#x} {set} 0 same\n");
        index += count;
    }
    Vectors::parse(&format!("{text}end {index}\n")).unwrap()
}

#[test]
fn a_whole_output_is_read() {
    let vectors = Vectors::parse(GOOD).unwrap();
    assert_eq!(vectors.total, 10);
    assert_eq!(vectors.runs.len(), 3);
    assert_eq!(vectors.skipped.len(), 1);
    assert_eq!(compare(&vectors, &vectors).unwrap(), []);
}

#[test]
fn a_mutated_output_is_an_error() {
    let cases = [
        ("vectors 1", "vectors 2", "unknown version"),
        ("vectors 1", "vactors 1", "no line `vectors`"),
        ("end 10\n", "", "no line `end`"),
        ("end 10", "end 11", "11 vectors were run, 10 are here"),
        (" 2 3 0x3", " 3 2 0x3", "a hole or an overlap"),
        (" 2 3 0x3", " 1 3 0x3", "a hole or an overlap"),
        (" 2 3 0x3", " 2 0 0x3", "an empty run"),
        (" 2 3 0x3", " 2 3 3", "first value"),
        (" 2 3 0x3", " 2 x 0x3", "count"),
        ("0 0x2\n", "0\n", "neither a run"),
        ("skip ssbs", "skip fresh", "skipped and run"),
        ("run ran", "ran run", "neither a run"),
        (
            "run ran 0x6030000000140001 0 1 0x0 0 0 same\n",
            "",
            "10 vectors were run, 9 are here",
        ),
        (
            "run fresh 0x6030000000140001 0 2 0x0 0 0 same\n",
            "",
            "a hole or an overlap",
        ),
    ];
    for (old, new, message) in cases {
        let text = GOOD.replacen(old, new, 1);
        assert_ne!(text, GOOD, "{old:?}");
        let error = format!("{:#}", Vectors::parse(&text).unwrap_err());
        assert!(error.contains(message), "{old:?} -> {new:?}: {error}");
    }
}

#[test]
fn any_changed_answer_is_one_difference() {
    let good = Vectors::parse(GOOD).unwrap();
    for (old, new) in [
        ("0x3 EINVAL 0 0x2", "0x3 EBUSY 0 0x2"),
        ("0x3 EINVAL 0 0x2", "0x3 EINVAL EINVAL -"),
        ("0x3 EINVAL 0 0x2", "0x3 EINVAL 0 0x1"),
    ] {
        let other = Vectors::parse(&GOOD.replacen(old, new, 1)).unwrap();
        let differences = compare(&good, &other).unwrap();
        let [difference] = &differences[..] else {
            panic!("{differences:?}");
        };
        assert_eq!((difference.index, difference.count), (2, 3));
        assert_eq!(difference.first, 3);
        assert_eq!(difference.answers[0].set, "EINVAL");
    }
}

#[test]
fn differences_are_maximal_intervals() {
    // Where the borders of the runs are does not matter.
    let a = stream(&[(2, 0, "0"), (2, 2, "0"), (4, 4, "EINVAL")]);
    let b = stream(&[(1, 0, "0"), (5, 1, "EBUSY"), (2, 6, "EINVAL")]);
    let found: Vec<_> = compare(&a, &b)
        .unwrap()
        .into_iter()
        .map(|d| {
            (
                d.index,
                d.count,
                d.first,
                d.answers.map(|answer| answer.set),
            )
        })
        .collect();
    let text = |s: &str| s.to_owned();
    assert_eq!(
        found,
        [
            (1, 3, 1, ["0", "EBUSY"].map(text)),
            (4, 2, 4, ["EINVAL", "EBUSY"].map(text)),
        ]
    );
}

#[test]
fn other_vectors_cannot_be_compared() {
    let good = Vectors::parse(GOOD).unwrap();
    let cases = [
        ("seed 1", "seed 2", "not the same vectors"),
        ("skip ssbs", "skip other", "not the same setups skipped"),
        ("run ran", "run rat", "not the same setups and registers"),
        ("2 3 0x3", "2 3 0x4", "vector 2 is not the same"),
    ];
    for (old, new, message) in cases {
        let other = Vectors::parse(&GOOD.replacen(old, new, 1)).unwrap();
        let error = format!("{:#}", compare(&good, &other).unwrap_err());
        assert!(error.contains(message), "{old:?}: {error}");
    }

    let error = compare(&stream(&[(2, 0, "0")]), &stream(&[(3, 0, "0")])).unwrap_err();
    assert!(format!("{error:#}").contains("not the same number"));
}
