// SPDX-License-Identifier: GPL-2.0

//! The journeys of a running VM against what `lab/data/journeys.toml` expects.

use std::collections::BTreeSet;

use anyhow::{bail, ensure, Result};

use crate::base::error::{fault, Broken};
use crate::model::journeys::Expected;
use crate::model::page::{Firmware, Lines};
use crate::model::results::{Case, Outcome};
use crate::model::travels::{End, Refused, Stay, Travel};

/// One case for each hop that was made, and one for the first that should have been.
pub fn cases(travel: &Travel) -> Vec<Case> {
    if let Some(reason) = &travel.left_out {
        return vec![Case::skip("(all hops)", reason)];
    }
    let hops = &travel.journey.hops;
    let mut cases = Vec::new();
    for (index, stay) in travel.stays.iter().enumerate() {
        let expected = hops.get(index).and_then(|hop| hop.expect.as_ref());
        cases.push(Case::from_result(
            name(travel, index),
            judge(&stay.end, expected),
        ));
    }
    let is_over = |stay: &Stay| !matches!(stay.end, End::Written(_));
    if cases.len() < hops.len() && !travel.stays.last().is_some_and(is_over) {
        cases.push(Case::fail(
            name(travel, cases.len()),
            "this hop was not made",
        ));
    }
    cases
}

/// # Errors
///
/// What is broken, of all journeys; and that none was made.
pub fn check(travels: &[Travel]) -> Result<()> {
    let left_out = travels.iter().map(|travel| travel.left_out.as_deref());
    if let Some(reasons) = left_out.collect::<Option<BTreeSet<&str>>>() {
        let reasons = Vec::from_iter(reasons).join(", ");
        return Err(fault(
            format!("no journey was made: {reasons}"),
            "name hosts of lab/data/hosts.toml whose kernels the mirror has",
        ));
    }
    let mut broken = String::new();
    for travel in travels {
        for case in cases(travel) {
            if let Outcome::Fail(cause) = case.outcome {
                let cause = cause.replace('\n', "\n  ");
                broken += &format!(
                    "\n  journey {}, {}: {cause}",
                    travel.journey.name, case.name
                );
            }
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(Broken(format!("not as it should be:{broken}")).into())
}

/// The hop, as in `hop 2, a57 -> fw-101`.
fn name(travel: &Travel, index: usize) -> String {
    let journey = &travel.journey;
    let host = |index: usize| {
        let hop = journey.hops.get(index).or(journey.hops.last());
        hop.map_or("", |hop| journey.host_at(hop.at))
    };
    match index.checked_sub(1) {
        None => format!("hop 1, {}", host(0)),
        Some(before) => format!("hop {}, {} -> {}", index + 1, host(before), host(index)),
    }
}

fn judge(end: &End, expected: Option<&Expected>) -> Result<()> {
    match (end, expected) {
        (End::Written(lines), Some(Expected::Told(firmware))) => {
            whole(lines)?;
            ensure!(
                lines.told == [*firmware],
                "the guest is told {}, not {firmware}",
                told(lines)
            );
        }
        (End::Written(lines), None) => whole(lines)?,
        (End::Refused(refused), Some(Expected::Refused(registers))) => {
            let found: Vec<String> = refused.registers().into_iter().collect();
            ensure!(
                found == *registers,
                "refused for {}, not for {}",
                list(&found),
                list(registers)
            );
        }
        (End::Refused(_), None) => (),
        (End::Failed(error), Some(Expected::Fails(text))) if error.contains(text) => (),
        (End::Failed(error), _) => bail!("{error}"),
        (End::Written(_), Some(Expected::Refused(_) | Expected::Fails(_))) => {
            bail!("the guest went on, and should not have")
        }
        (End::Refused(refused), Some(Expected::Told(_) | Expected::Fails(_))) => {
            bail!("refused: {}", reasons(refused))
        }
    }
    Ok(())
}

fn whole(Lines { lost, doubled, .. }: &Lines) -> Result<()> {
    ensure!(
        (*lost, *doubled) == (0, 0),
        "{lost} lines are lost, {doubled} doubled"
    );
    Ok(())
}

/// All that the guest was told, in order.
pub fn told(lines: &Lines) -> String {
    let told: Vec<String> = lines.told.iter().map(Firmware::to_string).collect();
    told.join(", then ")
}

/// What the kernel said of it, and the end of what QEMU said.
fn reasons(refused: &Refused) -> String {
    let writes = refused.writes.iter().flatten();
    let writes = writes.map(|it| format!("{}: {}", it.write(), it.why.reason.text()));
    let message = &refused.message[refused.message.len().saturating_sub(3)..];
    let reasons: Vec<String> = writes.chain(message.iter().cloned()).collect();
    reasons.join("; ")
}

fn list(registers: &[String]) -> String {
    match registers {
        [] => "no register by name".to_owned(),
        _ => registers.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::journeys::Journey;

    fn firmware(text: &str) -> Firmware {
        text.to_owned().try_into().unwrap()
    }

    fn written(lost: u64, doubled: u64, told: &[&str]) -> End {
        End::Written(Lines {
            written: 9,
            lost,
            doubled,
            told: told.iter().map(|text| firmware(text)).collect(),
        })
    }

    fn refused(register: &str) -> End {
        End::Refused(Refused {
            message: vec![format!("Could not set register {register} to 1 (is 0)")],
            writes: None,
        })
    }

    #[test]
    fn a_difference_is_a_failure_and_nothing_else_is() {
        let is_good = |end: &End, expected: Option<&Expected>| judge(end, expected).is_ok();
        let told = Expected::Told(firmware("1.3 0/0/0"));
        let refusal = Expected::Refused(vec!["SMCCC_ARCH_WORKAROUND_1".to_owned()]);
        let fails = Expected::Fails("killed".to_owned());
        let failed = |text: &str| End::Failed(text.to_owned());
        // By what happened: whether it is as expected, in the order of `expected`.
        let expected = [Some(&told), Some(&refusal), Some(&fails), None];
        let cases = [
            (written(0, 0, &["1.3 0/0/0"]), [true, false, false, true]),
            (written(0, 0, &["1.3 1/0/0"]), [false, false, false, true]),
            (
                written(0, 0, &["1.3 0/0/0", "1.3 1/0/0"]),
                [false, false, false, true],
            ),
            (written(1, 0, &["1.3 0/0/0"]), [false; 4]),
            (written(0, 1, &["1.3 0/0/0"]), [false; 4]),
            (refused("fw reg 1"), [false, true, false, true]),
            (refused("fw reg 3"), [false, false, false, true]),
            (failed("QEMU was killed"), [false, false, true, false]),
            (failed("the host is lost"), [false; 4]),
        ];
        for (end, good) in cases {
            assert_eq!(expected.map(|it| is_good(&end, it)), good, "{end:?}");
        }
    }

    fn travel(ends: impl IntoIterator<Item = End>) -> Travel {
        let journey = Journey::between("a", "b", "11", None, false);
        let stay = |end| Stay {
            host: "a".to_owned(),
            kernel: "rust".to_owned(),
            qemu: "11".to_owned(),
            end,
        };
        Travel {
            journey,
            left_out: None,
            stays: ends.into_iter().map(stay).collect(),
            seconds: 1,
        }
    }

    #[test]
    fn a_hop_that_was_not_made_is_no_pass() {
        let good = || written(0, 0, &["1.3 0/0/0"]);
        let names = |travel: &Travel| {
            let cases = cases(travel);
            let names = cases.into_iter().map(|case| (case.failed(), case.name));
            names.collect::<Vec<_>>()
        };
        let short = travel([good(), good()]);
        let expected = [
            (false, "hop 1, a".to_owned()),
            (false, "hop 2, a -> b".to_owned()),
            (true, "hop 3, b -> a".to_owned()),
        ];
        assert_eq!(names(&short), expected);
        assert!(check(&[short]).is_err() && check(&[travel([])]).is_err());
        assert!(check(&[travel([good(), good(), good()])]).is_ok());
        assert!(check(&[travel([good(), refused("fw reg 1")])]).is_ok());

        let left_out = || Travel {
            left_out: Some("no kernel".to_owned()),
            ..travel([])
        };
        assert!(check(&[left_out(), travel([good(), good(), good()])]).is_ok());
        assert_eq!(
            check(&[left_out(), left_out()]).unwrap_err().to_string(),
            "no journey was made: no kernel"
        );

        let broken = travel([good(), End::Failed("lost\nits console".to_owned())]);
        assert_eq!(
            check(&[broken]).unwrap_err().to_string(),
            "not as it should be:\n  journey a-b, hop 2, a -> b: lost\n  its console"
        );
    }
}
