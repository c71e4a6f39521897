// SPDX-License-Identifier: GPL-2.0

//! The component with two threads that loom plays (`lab/fuzz/src/weak.rs`).

use anyhow::Result;

use crate::ask::ktap;
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::model::results::{Case, Groups};
use crate::verify::unit;

pub fn run(project: &Project) -> Result<Groups> {
    let _step = Step::spinner("racing threads with loom");
    let run = "run --locked --package=fw-regs-fuzz --features=loom --bin=fw-regs-loom";
    let (status, output) = unit::cargo(project, run)?;
    let cases = ktap::program(status, &output);
    Ok(groups(cases))
}

/// By what is before the slash in their names. Those of a group follow each other.
fn groups(cases: Vec<Case>) -> Groups {
    let mut groups = Groups::new();
    for Case { name, outcome } in cases {
        let (group, name) = name.split_once('/').unwrap_or(("", &name));
        let case = Case::new(name, outcome);
        match groups.last_mut() {
            Some((last, cases)) if last == group => cases.push(case),
            _ => groups.push((group.to_owned(), vec![case])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_told_with_their_groups_executions() {
        let output = "    Running `fw-regs-loom`
KTAP version 1
1..2
    KTAP version 1
    1..2
    ok 1 get: 12 executions of 3 races
    # no order
    not ok 2 set: 34 executions of 3 races
not ok 1 strict VM: 46 executions
    KTAP version 1
    1..1
    ok 1 get: 5 executions of 1 races
ok 2 default VM: 5 executions
";
        let get = "get: 12 executions of 3 races";
        let set = "set: 34 executions of 3 races";
        let strict = vec![Case::pass(get), Case::fail(set, "    # no order")];
        let default = vec![Case::pass("get: 5 executions of 1 races")];
        let expected = vec![
            ("strict VM: 46 executions".to_owned(), strict),
            ("default VM: 5 executions".to_owned(), default),
        ];
        assert_eq!(groups(ktap::program(1, output)), expected);

        let failed = groups(ktap::program(101, "error: could not compile `loom`\n"));
        assert!(matches!(&failed[..], [(group, cases)]
            if group.is_empty() && cases.len() == 1 && cases[0].failed()));
    }
}
