// SPDX-License-Identifier: GPL-2.0

//! What the sample VMM says about the files that it was to restore.

use std::iter::Peekable;

use anyhow::{bail, ensure, Context, Result};

use crate::model::discovery::Told;
use crate::model::matrix::{Contradiction, Refusal};
use crate::model::registers::{hex, Id};

/// What became of one VM.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// None if all was accepted.
    pub refusals: Vec<Refusal>,
    /// The accepted VM as it was saved again; empty where that was not asked for.
    pub saved: Vec<(Id, u64)>,
    /// What its guest was told; None where it was not to ask.
    pub told: Option<Told>,
}

impl Answer {
    pub fn accepted(&self) -> bool {
        self.refusals.is_empty()
    }

    /// What the guest was told that is not what the VM's registers say: those that it came with,
    /// and those that it was saved with then.
    pub fn contradictions(&self, came_with: &[(Id, u64)]) -> Vec<Contradiction> {
        let Some(told) = &self.told else {
            return Vec::new();
        };
        let mut found = told.contradictions(came_with);
        for saved in told.contradictions(&self.saved) {
            if found.iter().all(|other| other.id != saved.id) {
                found.push(saved);
            }
        }
        found
    }

    /// That the guest was told what the VM was saved with then.
    pub fn ensure_told(&self) -> Result<()> {
        let found = self.contradictions(&self.saved);
        ensure!(found.is_empty(), "the guest is told otherwise: {found:?}");
        Ok(())
    }
}

/// Reads what `fw_regs_vmm restore FILE...` printed and how it ended: one answer for each file.
///
/// # Errors
///
/// Anything that is not one whole verdict on each file.
pub fn parse(files: &[String], status: i32, output: &str) -> Result<Vec<Answer>> {
    let said = || format!("fw_regs_vmm ended with status {status} and said\n{output}");
    let mut lines = output.lines().peekable();
    let answers = files
        .iter()
        .map(|file| answer(file, &mut lines))
        .collect::<Result<Vec<_>>>()
        .with_context(said)?;
    ensure!(lines.next().is_none(), "too many lines: {}", said());

    let expected = i32::from(!answers.iter().all(Answer::accepted));
    ensure!(status == expected, said());
    Ok(answers)
}

fn answer<'a>(file: &str, lines: &mut Peekable<impl Iterator<Item = &'a str>>) -> Result<Answer> {
    let mut answer = Answer::default();
    for line in lines.by_ref() {
        if let Some(refusal) = refusal(file, line) {
            answer.refusals.push(refusal);
            continue;
        }
        let refusals = answer.refusals.len();
        if refusals == 0 && line == format!("accepted {file}") {
            let told: Vec<&str> =
                std::iter::from_fn(|| lines.next_if(|line| Told::is_line(line))).collect();
            if !told.is_empty() {
                answer.told = Some(Told::parse(told.into_iter())?);
            }
            while let Some(line) = lines.next_if(|line| line.starts_with("0x")) {
                let register = line
                    .split_once(' ')
                    .and_then(|(id, value)| hex(id).zip(hex(value)));
                let register = register.with_context(|| format!("`{line}` is no register"))?;
                answer.saved.push(register);
            }
            return Ok(answer);
        }
        if refusals > 0 && line == format!("rejected {file} {refusals}") {
            return Ok(answer);
        }
        bail!("`{line}` is no verdict on {file}");
    }
    bail!("no verdict on {file}");
}

fn refusal(file: &str, line: &str) -> Option<Refusal> {
    let rest = line.strip_prefix("refused ")?.strip_prefix(file)?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let [id, value, errno] = words[..] else {
        return None;
    };
    Some(Refusal {
        id: hex(id)?,
        value: match value {
            "-" => None,
            value => Some(hex(value)?),
        },
        errno: errno.to_owned(),
        why: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: &str = "refused f 0x6030000000140003 0x2 EINVAL\n";

    fn parse_f(status: i32, output: &str) -> Result<Vec<Answer>> {
        parse(&["f".to_owned()], status, output)
    }

    #[test]
    fn whole_verdicts_are_read() {
        let answers = parse_f(0, "accepted f\n").unwrap();
        assert_eq!(answers, [Answer::default()]);

        let output = format!("{REFUSED}refused f 0x6030000000140001 - EFAULT\nrejected f 2\n");
        let answers = parse_f(1, &output).unwrap();
        let refusal = |id, value, errno: &str| Refusal {
            id,
            value,
            errno: errno.to_owned(),
            why: None,
        };
        assert_eq!(
            answers[0].refusals,
            [
                refusal(0x6030_0000_0014_0003, Some(2), "EINVAL"),
                refusal(0x6030_0000_0014_0001, None, "EFAULT"),
            ]
        );
        assert!(!answers[0].accepted());
    }

    #[test]
    fn files_are_told_apart() {
        let files = ["f", "g"].map(str::to_owned);
        let refused = format!("{REFUSED}rejected f 1\n");
        let output = format!("{refused}accepted g\n0x1 0x2\n0x3 0x4\n");
        let answers = parse(&files, 1, &output).unwrap();
        assert_eq!(answers[0].refusals.len(), 1);
        assert_eq!(answers[1].saved, [(1, 2), (3, 4)]);

        for output in [refused, format!("accepted g\n{REFUSED}rejected f 1\n")] {
            assert!(parse(&files, 1, &output).is_err(), "{output}");
        }
    }

    #[test]
    fn the_guest_speaks_before_the_vm_is_saved() {
        let told: String = crate::model::discovery::questions()
            .lines()
            .map(|line| format!("told {line} 0x0 0x0 0x0 0x0\n"))
            .collect();
        let answers = parse_f(0, &format!("accepted f\n{told}0x1 0x2\n")).unwrap();
        let expected = Told::parse(told.lines()).unwrap();
        assert_eq!(answers[0].told.as_ref(), Some(&expected));
        assert_eq!(answers[0].saved, [(1, 2)]);
    }

    #[test]
    fn anything_else_is_an_error() {
        for (status, output) in [
            (0, ""),
            (1, ""),
            (2, "fw_regs_vmm: /dev/kvm: No such file or directory\n"),
            (1, "accepted f\n"),
            (0, "accepted g\n"),
            (0, &format!("{REFUSED}rejected f 1\n")),
            (1, &format!("{REFUSED}rejected f 2\n")),
            (0, &format!("{REFUSED}accepted f\n")),
            (1, "refused f 0x1 EINVAL\nrejected f 1\n"),
            (1, "rejected f 0\n"),
            (0, "accepted f\naccepted f\n"),
            (0, "accepted f\nfw_regs_vmm: KVM_GET_REG_LIST\n"),
            (143, "accepted f\n"),
            (0, "accepted f\n0x1 2\n"),
            (0, "accepted f\ntold 0x84000000 0x0\n"),
            (0, "accepted f\n0x1 0x2\ntold 0x1 0x0 0x0 0x0 0x0 0x0\n"),
        ] {
            assert!(parse_f(status, output).is_err(), "{status} {output:?}");
        }
    }
}
