// SPDX-License-Identifier: GPL-2.0

//! What the guest of `lab migrate` (`lab/firmware/guest`) writes, wherever it is.

use std::fmt;

use anyhow::{ensure, Context, Result};
use serde::{Deserialize, Serialize};

use crate::model::registers::{hex, short, PSCI_VERSION};

/// What a guest's firmware is, as the guest is told: the PSCI version, and the values of
/// WORKAROUND_1 to _3 that the answers stand for. As in `1.3 1/0/1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Firmware {
    psci: u64,
    workarounds: [u64; 3],
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, two, three] = self.workarounds;
        write!(f, "{} {one}/{two}/{three}", short(PSCI_VERSION, self.psci))
    }
}

impl From<Firmware> for String {
    fn from(firmware: Firmware) -> Self {
        firmware.to_string()
    }
}

impl TryFrom<String> for Firmware {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parse = || {
            let (psci, workarounds) = text.split_once(' ')?;
            let (major, minor) = psci.split_once('.')?;
            let numbers = workarounds.split('/').map(|it| it.parse().ok());
            Some(Self {
                psci: major.parse::<u64>().ok()? << 16 | minor.parse::<u64>().ok()?,
                workarounds: numbers.collect::<Option<Vec<u64>>>()?.try_into().ok()?,
            })
        };
        // What was left out would be missing here.
        let whole = parse().filter(|firmware| firmware.to_string() == text);
        whole.ok_or_else(|| format!("`{text}` is not of the form `1.3 1/0/1`"))
    }
}

/// The lines that came from one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lines {
    pub written: u64,
    pub lost: u64,
    pub doubled: u64,
    /// What the guest was told in those that it began there, as often as it changed.
    pub told: Vec<Firmware>,
}

/// How far the guest is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The number of the last whole line.
    last: u64,
    /// What is there of the next.
    begun: String,
}

/// What was done to the guest after it had written so many bytes on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Reset(usize),
    /// A snapshot was loaded. With the bytes that had been written when it was saved.
    Loaded(usize, usize),
    /// A snapshot of the guest was loaded into another VM, which had written so much by then.
    Recalled(usize),
}

impl Page {
    /// Takes all that the guest wrote on a host.
    ///
    /// # Errors
    ///
    /// What is none of its lines.
    pub fn take(&mut self, text: &str, marks: &[Mark]) -> Result<Lines> {
        let mut lines = Lines::default();
        let mut from = 0;
        let part = |from: usize, to: usize| {
            let part = text.get(from..to);
            part.with_context(|| format!("no bytes {from} to {to} among {}", text.len()))
        };
        for mark in marks {
            match *mark {
                Mark::Reset(at) => {
                    self.follow(part(from, at)?, &mut lines)?;
                    *self = Self::default();
                    from = at;
                }
                Mark::Loaded(saved, loaded) => {
                    self.follow(part(from, saved)?, &mut lines)?;
                    // It goes on twice from here.
                    self.clone().follow(part(saved, loaded)?, &mut lines)?;
                    from = loaded;
                }
                Mark::Recalled(at) => {
                    // What another VM was told is not what this one is.
                    Self::default().follow(part(from, at)?, &mut Lines::default())?;
                    from = at;
                }
            }
        }
        self.follow(part(from, text.len())?, &mut lines)?;
        ensure!(
            !lines.told.is_empty(),
            "the guest has written no whole line"
        );
        Ok(lines)
    }

    fn follow(&mut self, text: &str, lines: &mut Lines) -> Result<()> {
        // This line was not begun here.
        let mut is_known = self.begun.is_empty();
        self.begun += text;
        while let Some((line, rest)) = self.begun.split_once('\n') {
            let (number, told) =
                parse(line).with_context(|| format!("the guest has written `{line}`"))?;
            lines.written += 1;
            lines.lost += number.saturating_sub(self.last + 1);
            lines.doubled += u64::from(number <= self.last);
            if is_known && lines.told.last() != Some(&told) {
                lines.told.push(told);
            }
            is_known = true;
            self.last = self.last.max(number);
            self.begun = rest.to_owned();
        }
        Ok(())
    }
}

/// Reads `line 17 psci 0x10003 wa1 1 wa2 -2 wa3 -1`.
fn parse(line: &str) -> Option<(u64, Firmware)> {
    let words: Vec<&str> = line.split(' ').collect();
    let &["line", number, "psci", psci, "wa1", one, "wa2", two, "wa3", three] = &words[..] else {
        return None;
    };
    // As SMCCC_ARCH_FEATURES answers: not supported, success, unaffected.
    let value = |answer| Some(["-1", "0", "1"].iter().position(|it| *it == answer)? as u64);
    let workaround_2 = match two {
        "-2" => 3,
        "0" => 2,
        "-1" => 0,
        _ => return None,
    };
    let firmware = Firmware {
        psci: hex(psci)?,
        workarounds: [value(one)?, workaround_2, value(three)?],
    };
    Some((number.parse().ok()?, firmware))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u64, one: i32) -> String {
        format!("line {number} psci 0x10003 wa1 {one} wa2 -2 wa3 -1\n")
    }

    fn lines(numbers: impl IntoIterator<Item = u64>) -> String {
        numbers.into_iter().map(|number| line(number, 0)).collect()
    }

    fn counts(lines: &Lines) -> (u64, u64, u64) {
        (lines.written, lines.lost, lines.doubled)
    }

    #[test]
    fn a_firmware_is_read_as_it_is_written() {
        let firmware = Firmware::try_from("1.3 1/3/0".to_owned()).unwrap();
        assert_eq!(parse(line(7, 0).trim_end()), Some((7, firmware)));
        for text in ["", "1.3", "1.3 1/0", "1.3 1/0/1/0", "1.03 1/0/1", "1 1/0/1"] {
            assert!(Firmware::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_line_may_begin_on_one_host_and_end_on_the_next() {
        let text = lines(1..4) + &lines(4..9).replace("wa1 0", "wa1 1");
        for at in 0..text.len() {
            let mut page = Page::default();
            let there = page.take(&text[..at], &[]);
            let back = page.take(&text[at..], &[]);
            let (Ok(there), Ok(back)) = (there, back) else {
                let whole = |text: &str| text.matches('\n').count();
                assert!(whole(&text[..at]) == 0 || whole(&text[at..]) <= 1, "{at}");
                continue;
            };
            assert_eq!(there.written + back.written, 8);
            assert_eq!(
                (there.lost, there.doubled, back.lost, back.doubled),
                (0, 0, 0, 0)
            );
        }
    }

    #[test]
    fn what_was_asked_on_the_last_host_is_not_told_on_the_next() {
        let mut page = Page::default();
        page.take(&(line(1, 0) + "line 2 psci 0x10003 wa1 0"), &[])
            .unwrap();
        let lines = page
            .take(&(" wa2 -2 wa3 -1\n".to_owned() + &line(3, 1)), &[])
            .unwrap();
        let told: Vec<String> = lines.told.iter().map(Firmware::to_string).collect();
        assert_eq!((lines.written, told), (2, vec!["1.3 2/3/0".to_owned()]));
    }

    #[test]
    fn lost_and_doubled_lines_are_counted() {
        let take = |numbers: &[u64]| {
            let text = lines(numbers.iter().copied());
            counts(&Page::default().take(&text, &[]).unwrap())
        };
        assert_eq!(take(&[1, 2, 3]), (3, 0, 0));
        assert_eq!(take(&[2, 3]), (2, 1, 0));
        assert_eq!(take(&[1, 2, 6]), (3, 3, 0));
        assert_eq!(take(&[1, 2, 2, 3]), (4, 0, 1));
        assert_eq!(take(&[1, 2, 3, 1, 2, 3, 4]), (7, 0, 3));
    }

    #[test]
    fn after_a_reset_and_a_snapshot_lines_come_again() {
        let before = lines(1..5) + "line 5";
        let reset = [Mark::Reset(before.len())];
        let text = before.clone() + &lines(1..3);
        let mut page = Page::default();
        assert_eq!(counts(&page.take(&text, &reset).unwrap()), (6, 0, 0));
        assert_eq!(page.last, 2);

        let (saved, between) = (lines(1..4) + "line", lines(4..8));
        let between = between.strip_prefix("line").unwrap();
        let loaded = [Mark::Loaded(saved.len(), saved.len() + between.len())];
        let text = saved + between + lines(4..6).strip_prefix("line").unwrap();
        let mut page = Page::default();
        assert_eq!(counts(&page.take(&text, &loaded).unwrap()), (9, 0, 0));
        assert_eq!(page.last, 5);
        assert!(Page::default().take(&text, &[]).is_err());
    }

    #[test]
    fn what_another_vm_writes_is_not_the_guests() {
        let mut page = Page::default();
        page.take(&(lines(1..4) + "line"), &[]).unwrap();
        let other = line(1, 1) + &line(2, 1) + "line 3";
        let text = other.clone() + lines(4..7).strip_prefix("line").unwrap();
        let lines = page.take(&text, &[Mark::Recalled(other.len())]).unwrap();
        assert_eq!(counts(&lines), (3, 0, 0));
        let told: Vec<String> = lines.told.iter().map(Firmware::to_string).collect();
        assert_eq!(told, ["1.3 1/3/0"]);
    }

    #[test]
    fn nothing_and_nonsense_are_errors() {
        for text in [
            "",
            "line 1",
            "hello\n",
            "line 1 psci 0x10003 wa1 7 wa2 0 wa3 0\n",
        ] {
            assert!(Page::default().take(text, &[]).is_err(), "{text}");
        }
        assert!(Page::default()
            .take(&lines(1..2), &[Mark::Reset(99)])
            .is_err());
    }
}
