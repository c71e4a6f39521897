// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::base::project::Project;
use crate::model::matrix::Refusal;

const WA1: Id = 0x6030_0000_0014_0001;
const WA3: Id = 0x6030_0000_0014_0003;

const TRACE: &str = "\
# tracer: nop
#
# entries-in-buffer/entries-written: 2/2   #P:1
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
     fw_regs_vmm-61      [000] .....     2.103816: kvm_arm_fw_reg_set: vcpu=0 \
id=0x6030000000140001 value=0x2 promise=0x2 offer=0x2 verdict=accepted
     fw_regs_vmm-61      [000] .....     2.104012: kvm_arm_fw_reg_set: vcpu=0 \
id=0x6030000000140003 value=0x2 promise=0x1 offer=0x1 verdict=refused: exceeds the offer
";

const WHY: Why = Why {
    reason: Reason::ExceedsOffer,
    promise: 1,
    offer: 1,
};

fn stream(registers: &[(Id, Option<u64>)]) -> Stream {
    Stream {
        name: "vm".to_owned(),
        registers: registers.to_vec(),
    }
}

fn answer(refused: &[(Id, Option<u64>)]) -> Answer {
    let refusals = refused.iter().map(|(id, value)| Refusal {
        id: *id,
        value: *value,
        errno: "EINVAL".to_owned(),
        why: None,
    });
    Answer {
        refusals: refusals.collect(),
        ..Answer::default()
    }
}

fn explain_one(text: &str, stream: &Stream, answer: &mut Answer) -> Result<()> {
    assign(parse(text)?, [(stream, answer)].into_iter())
}

#[test]
fn refusals_get_their_reasons() {
    let stream = stream(&[(WA1, Some(2)), (WA3, Some(2))]);
    let mut answer = answer(&[(WA3, Some(2))]);
    explain_one(TRACE, &stream, &mut answer).unwrap();
    assert_eq!(answer.refusals[0].why, Some(WHY));
}

#[test]
fn a_lost_value_is_traced_as_zero() {
    let text = TRACE.replace(
        "value=0x2 promise=0x1 offer=0x1 verdict=refused: exceeds the offer",
        "value=0x0 promise=0x0 offer=0x0 verdict=refused: bad address",
    );
    let stream = stream(&[(WA1, Some(2)), (WA3, None)]);
    let mut answer = answer(&[(WA3, None)]);
    explain_one(&text, &stream, &mut answer).unwrap();
    let reason = answer.refusals[0].why.map(|why| why.reason);
    assert_eq!(reason, Some(Reason::BadAddress));
}

#[test]
fn writes_and_events_must_agree() {
    let both = [(WA1, Some(2)), (WA3, Some(2))];
    let last = [(WA3, Some(2))];
    let cases: [(&[_], &[_], &str); 6] = [
        (&both[..1], &[], "that nobody made"),
        (&both, &[], "refused in the trace only"),
        (&both, &both, "refused in the trace only"),
        (&[both[0], (WA3, Some(1))], &last, "was traced as"),
        (&[both[0], both[1], both[0]], &last, "was not traced"),
        (&both, &[last[0], both[0]], "no reason was traced"),
    ];
    for (writes, refused, message) in cases {
        let result = explain_one(TRACE, &stream(writes), &mut answer(refused));
        let error = format!("{:#}", result.unwrap_err());
        assert!(error.contains(message), "{writes:x?} {refused:x?}: {error}");
    }
}

#[test]
fn a_trace_that_is_not_whole_is_an_error() {
    let cases = [
        ("2/2", "2/3", "lost events"),
        ("2/2", "3/3", "2 of 3"),
        ("# entries-in-buffer", "# entries", "no head"),
        ("verdict=accepted", "verdict=unsure", "not an event"),
        (
            "verdict=accepted",
            "verdict=accepted: why not",
            "not an event",
        ),
        ("exceeds the offer", "bad mood", "not an event"),
        ("value=0x2", "value=2", "not an event"),
        (" promise=0x1", "", "not an event"),
        (
            "     fw_regs_vmm-61",
            "CPU:0 [LOST 3 EVENTS]\n     x-61",
            "not an event",
        ),
    ];
    for (old, new, message) in cases {
        let text = TRACE.replacen(old, new, 1);
        assert_ne!(text, TRACE, "{old:?}");
        let error = format!("{:#}", parse(&text).unwrap_err());
        assert!(error.contains(message), "{old:?} -> {new:?}: {error}");
    }
}

#[test]
fn every_reason_is_known_by_its_text() {
    for reason in Reason::ALL {
        assert_eq!(Reason::from_text(reason.text()), Some(reason));
    }
    assert_eq!(Reason::from_text("whim"), None);
}

/// The verdicts of the event's header, in the order of their numbers, with the texts for them.
fn verdicts_of_the_header() -> Vec<String> {
    let header = Project::here().root().join("rust/fw_regs/trace.h");
    let header = fs_err::read_to_string(header).unwrap();
    let (_, verdicts) = header.split_once("enum kvm_arm_fw_reg_verdict {").unwrap();
    let (verdicts, rest) = verdicts.split_once('}').unwrap();
    let (_, rest) = rest.split_once("__print_symbolic(verdict,").unwrap();
    let (texts, _) = rest.split_once("/*").unwrap();
    let text = |verdict: &str| {
        let (_, text) = texts.split_once(&format!("{{ {verdict},")).unwrap();
        text.split('"').nth(1).unwrap().to_owned()
    };
    verdicts
        .trim()
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(text)
        .collect()
}

#[test]
fn the_header_has_the_numbers_and_texts_of_all_verdicts() {
    use fw_regs_policy::Reason::*;

    let reasons = [
        UnknownRegister,
        BadAddress,
        Malformed,
        WrongFeature,
        ExceedsOffer,
        Frozen,
    ];
    let number = |verdict| match verdict {
        Ok(accepted) => u32::from(accepted),
        Err(told) => {
            let mut reasons = reasons.into_iter();
            u32::from(
                reasons
                    .find(|reason| Reason::from(*reason) == told)
                    .unwrap(),
            )
        }
    };
    let texts = verdicts_of_the_header();
    assert_eq!(texts.len(), 2 + Reason::ALL.len());
    for (expected, text) in texts.iter().enumerate() {
        let verdict = verdict_of(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(number(verdict) as usize, expected, "{text}");
    }
}
