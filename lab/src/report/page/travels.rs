// SPDX-License-Identifier: GPL-2.0

//! `migrate.html`: how the journeys of a running VM went.

use anyhow::Result;
use askama::Template;

use super::STYLE;
use crate::model::travels::{End, Stay, Travel};
use crate::report::travels::{row, why, HEADER, LEGEND, TITLE};

#[derive(Template)]
#[template(path = "migrate.html")]
struct MigratePage<'a> {
    style: &'static str,
    travels: &'a [Travel],
}

pub fn render(travels: &[Travel]) -> Result<String> {
    let style = STYLE;
    Ok(MigratePage { style, travels }.render()?)
}

/// How the stylesheet names an end.
fn class(stay: &Stay) -> &'static str {
    match stay.end {
        End::Written(_) => "ok",
        End::Refused(_) => "refused",
        End::Failed(_) => "one-way",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::terminal::travels::tests::example;

    #[test]
    fn each_host_has_a_row_and_what_was_said_is_no_markup() {
        let mut travel = example();
        travel.journey.story = "<script>".to_owned();
        let page = render(&[travel]).unwrap();
        assert_eq!(page.matches("<tr>").count(), 1 + 3);
        assert!(page.contains("PSCI_VERSION = 1.3: exceeds the offer (offer 1.1)"));
        assert!(page.contains("is told 1.3 1/3/0") && !page.contains("<script>"));
    }
}
