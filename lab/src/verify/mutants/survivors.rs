// SPDX-License-Identifier: GPL-2.0

//! The mutants that no test can notice, `lab/data/mutants.toml`.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::outcomes::{Fate, Mutant};
use crate::base::project::Project;
use crate::model::results::Case;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    survivor: Vec<Survivor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Survivor {
    mutant: String,
    reason: String,
    /// How many there are by this name.
    #[serde(default = "one")]
    count: u32,
    /// How many of them have survived.
    #[serde(skip)]
    seen: u32,
}

fn one() -> u32 {
    1
}

pub struct Survivors(Vec<Survivor>);

impl Survivors {
    pub fn load(project: &Project) -> Result<Self> {
        let path = project.root().join("lab/data/mutants.toml");
        Self::parse(&fs_err::read_to_string(&path)?).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        Ok(Self(toml::from_str::<File>(text)?.survivor))
    }

    /// A result for each mutant: what survives must be listed.
    pub fn judge(&mut self, mutants: &[Mutant]) -> Vec<Case> {
        mutants.iter().map(|mutant| self.case(mutant)).collect()
    }

    fn case(&mut self, mutant: &Mutant) -> Case {
        let Mutant { place, name, fate } = mutant;
        match fate {
            Fate::Caught | Fate::Timeout => Case::pass(name),
            Fate::Unviable => Case::skip(name, "does not compile"),
            Fate::Missed => {
                let listed = self.0.iter_mut().find(|listed| listed.mutant == *name);
                let Some(listed) = listed else {
                    return Case::fail(name, format!("{place}: no test notices it"));
                };
                listed.seen += 1;
                Case::skip(name, &listed.reason)
            }
        }
    }

    /// A failure for each that is listed and does not survive, or not as often.
    pub fn stale(&self) -> Vec<Case> {
        let stale = self.0.iter().filter(|listed| listed.seen != listed.count);
        let case = |listed: &Survivor| {
            let Survivor {
                mutant,
                count,
                seen,
                ..
            } = listed;
            let cause = format!("{count} should survive, {seen} did: mend lab/data/mutants.toml");
            Case::fail(mutant, cause)
        };
        stale.map(case).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::results::Outcome;

    const LIST: &str = "
        [[survivor]]
        mutant = \"a.rs: replace | with ^ in f\"
        reason = \"the bits are disjoint\"
        count = 2
        [[survivor]]
        mutant = \"b.rs: gone\"
        reason = \"it was so\"
    ";

    fn mutant(name: &str, fate: Fate) -> Mutant {
        let (place, name) = (String::new(), name.to_owned());
        Mutant { place, name, fate }
    }

    #[test]
    fn survivors_must_be_listed_and_the_list_must_be_true() {
        let mut survivors = Survivors::parse(LIST).unwrap();
        let mutants = [
            mutant("a.rs: replace | with ^ in f", Fate::Missed),
            mutant("a.rs: replace | with ^ in f", Fate::Missed),
            mutant("a.rs: replace | with & in f", Fate::Caught),
            mutant("a.rs: replace | with ^ in g", Fate::Missed),
            mutant("b.rs: gone", Fate::Caught),
            mutant("b.rs: replace g with Default::default()", Fate::Unviable),
        ];
        let cases = survivors.judge(&mutants);
        let outcomes = cases.iter().map(|case| match case.outcome {
            Outcome::Pass => '+',
            Outcome::Fail(_) => '-',
            Outcome::Skip(_) => 's',
        });
        assert_eq!(outcomes.collect::<String>(), "ss+-+s");
        let stale = survivors.stale();
        assert_eq!(stale.len(), 1);
        assert_eq!(stale[0].name, "b.rs: gone");
    }
}
