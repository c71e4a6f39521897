// SPDX-License-Identifier: GPL-2.0

//! What `selftests/kvm/arm64/fw_regs_perf_test.c` prints.

use anyhow::{bail, ensure, Context, Result};

/// Instructions by access, in the order in which they were measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Costs(Vec<(String, f64)>);

impl Costs {
    /// Reads the program's output, in which there may be lines of others before and after.
    pub fn parse(output: &str) -> Result<Self> {
        let mut lines = output.lines().skip_while(|line| *line != "costs 1").skip(1);
        let mut costs = Vec::new();
        for line in lines.by_ref().take_while(|line| *line != "end") {
            let words: Vec<&str> = line.split(' ').collect();
            let &["cost", access, nanoseconds] = words.as_slice() else {
                bail!("`{line}` is no cost");
            };
            let cost: f64 = nanoseconds.parse().with_context(|| line.to_owned())?;
            ensure!(cost > 0.0, "`{line}`: nothing is for free");
            costs.push((access.to_owned(), cost));
        }
        ensure!(
            !costs.is_empty() && output.lines().any(|line| line == "end"),
            "the measurement was not made to its end:\n{output}"
        );
        Ok(Self(costs))
    }

    /// Some of them.
    pub fn only(mut self, wanted: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|(name, _)| wanted(name));
        self
    }

    /// The same with a word before each access.
    pub fn named(self, word: &str) -> Self {
        let named = self.0.into_iter();
        Self(
            named
                .map(|(access, cost)| (format!("{word}/{access}"), cost))
                .collect(),
        )
    }

    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(access, cost)| (access.as_str(), *cost))
    }

    pub fn of(&self, access: &str) -> Option<f64> {
        self.iter()
            .find(|(name, _)| *name == access)
            .map(|(_, cost)| cost)
    }
}

/// Some costs, for tests.
#[cfg(test)]
pub fn costs(rows: &[(&str, f64)]) -> Costs {
    Costs(
        rows.iter()
            .map(|(access, cost)| ((*access).to_owned(), *cost))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_read() {
        let output = "Random seed: 0x1\ncosts 1\ncost get/A 10.5\ncost set/A/same 20.0\nend\n";
        let costs = Costs::parse(output).unwrap();
        assert_eq!(costs.of("get/A"), Some(10.5));
        assert_eq!(costs.iter().count(), 2);
        assert_eq!(costs.named("traced").of("traced/set/A/same"), Some(20.0));
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for output in [
            "",
            "costs 1\nend\n",
            "costs 1\ncost a 1.0\n",
            "costs 1\ncost a\nend\n",
            "costs 1\ncost a 0.0\nend\n",
            "cost a 1.0\nend\n",
        ] {
            assert!(Costs::parse(output).is_err(), "{output}");
        }
    }
}
