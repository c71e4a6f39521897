// SPDX-License-Identifier: GPL-2.0

//! What a test engine has recorded of a host: LAVA's log, or a console as it was.

use anyhow::{ensure, Context, Result};
use yaml_rust2::{Yaml, YamlLoader};

use super::ktap;
use crate::boot::console::{self, clean};
use crate::model::results::{Case, Groups};

/// The results in a record: of each program that the host has run for us or, in a plain text, of the
/// KTAP in it.
pub fn results(record: &str) -> Result<Groups> {
    let console = match record.starts_with("- {") {
        true => of_lava(record)?,
        false => record.to_owned(),
    };
    let console = clean(console.as_bytes());
    if !console.contains("\n@lab begin ") {
        let ktap = ktap::parse(&console);
        let mut cases = ktap.cases;
        ensure!(!cases.is_empty(), "there are no results in it");
        if !ktap.problems.is_empty() {
            cases.push(Case::fail("(protocol)", ktap.problems.join("\n")));
        }
        return Ok(vec![(String::new(), cases)]);
    }
    let transcript = console::whole(&console)?;
    let sections = transcript.sections.into_iter();
    Ok(sections
        .map(|section| (section.name, ktap::program(section.status, &section.output)))
        .collect())
}

/// What the host wrote, of a log in which each line is a YAML object.
fn of_lava(log: &str) -> Result<String> {
    let mut console = String::from("\n");
    for (index, line) in log.lines().enumerate() {
        let number = index + 1;
        let documents = YamlLoader::load_from_str(line);
        let documents = documents.with_context(|| format!("line {number} is no YAML"))?;
        let entry = documents.first().map_or(&Yaml::BadValue, |list| &list[0]);
        if entry["lvl"].as_str() != Some("target") {
            continue;
        }
        let said = entry["msg"].as_str();
        console += said.with_context(|| format!("line {number} has no text"))?;
        console += "\n";
    }
    Ok(console)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::results::Outcome;

    const CONSOLE: &str =
        "Booting\n\n@lab served by Rust\n\n@lab begin selftests:a\nTAP version 13\n\
                           1..2\nok 1 x\nnot ok 2 y\n\n@lab end selftests:a 1\n3.2 1.1\n\n\
                           @lab done 1 0\nroot@lab:~# \n";

    fn failed(groups: &Groups) -> Vec<String> {
        let cases = groups.iter().flat_map(|(place, cases)| {
            let failed = cases.iter().filter(|case| case.failed());
            failed.map(move |case| format!("{place}/{}", case.name))
        });
        cases.collect()
    }

    #[test]
    fn a_console_and_a_log_of_it_give_the_same() {
        let console = results(CONSOLE).unwrap();
        assert_eq!(console.len(), 1);
        assert_eq!(console[0].1[0].outcome, Outcome::Pass);
        assert_eq!(failed(&console), ["selftests:a/y"]);

        let line =
            |text: &str| format!("- {{\"dt\": \"1\", \"lvl\": \"target\", \"msg\": \"{text}\"}}\n");
        let mut log = "- {dt: '1', lvl: info, msg: not ok 3 of the engine}\n".to_owned();
        log.extend(
            CONSOLE
                .lines()
                .map(|text| line(&format!("\\e[0m{text}\\r"))),
        );
        let of_log = results(&log).unwrap();
        assert_eq!(failed(&of_log), failed(&console));
        assert_eq!(of_log[0].1.len(), console[0].1.len());
    }

    #[test]
    fn plain_results_are_read() {
        let plain = results("TAP version 13\n1..1\nnot ok 1 a\n").unwrap();
        assert_eq!(failed(&plain), ["/a"]);
    }

    #[test]
    fn what_is_not_whole_is_an_error() {
        let cut = CONSOLE.split("@lab done").next().unwrap();
        assert!(results(cut).is_err());
        assert!(results("Booting\n").is_err());
        assert!(results("- {dt: [}\n").is_err());
        let complaint = CONSOLE.replace("ok 1 x", "BUG: sleeping\nok 1 x");
        assert!(results(&complaint).is_err());
    }
}
