// SPDX-License-Identifier: GPL-2.0

//! The page of `lab matrix` in a browser, made from a small fleet that was booted once. A script
//! in a copy of the page tests it.

use std::path::Path;

use anyhow::{Context, Result};

use crate::base::disk::write_whole;
use crate::base::error::Help;
use crate::base::process::{command, output};
use crate::base::project::Project;
use crate::model::deviations;
use crate::model::results::{Case, Groups};
use crate::report::page;

const FLEET: &str = "lab/testdata/fleet.json";
const TESTS: &str = include_str!("report/tests.js");

/// Widths of windows: a laptop's and a phone's.
const WIDTHS: [u32; 2] = [1280, 390];

/// Themes of the system, as Chromium numbers them.
const THEMES: [(&str, &str); 2] = [("light", "1"), ("dark", "0")];

/// The browser is ended if it takes longer than that for one window.
const SECONDS: &str = "120";

/// Where the frame's document has the results, as a JSON array of names and errors.
const RESULTS: &str = r#"<script type="application/json" id="results">"#;

pub fn run(project: &Project) -> Result<Groups> {
    let matrix = planner::files::matrix(&project.root().join(FLEET))?;
    let page = page::render(&matrix, &deviations::load(project)?)?;
    // Tests run before all other scripts.
    let tested = page.replacen("<head>", &format!("<head>\n<script>\n{TESTS}</script>"), 1);
    let dir = project.out("tmp/report");
    write_whole(&dir.join("page.html"), tested.as_bytes())?;

    let mut groups = Groups::new();
    for width in WIDTHS {
        for (theme, number) in THEMES {
            let window = format!("{width}-{theme}");
            let file = dir.join(format!("{window}.html"));
            write_whole(&file, frame(&window, width).as_bytes())?;
            groups.push((window, cases(&dom(&file, number)?)?));
        }
    }
    Ok(groups)
}

/// A document with the page in a frame: no window of Chromium is as narrow as a phone.
fn frame(window: &str, width: u32) -> String {
    format!(
        r#"<!doctype html>
<meta name="color-scheme" content="light dark">
<iframe name="{window}" src="page.html" width="{width}" height="900"></iframe>
<script>onmessage = (event) => results.textContent = event.data;</script>
{RESULTS}</script>
"#
    )
}

/// What a browser has made of a document when nothing happens any more.
fn dom(file: &Path, theme: &str) -> Result<String> {
    let profile = tempfile::tempdir()?;
    // The page is our own. Where there is no sandbox (for root, in containers), it needs none.
    let browser = "chromium --headless --no-sandbox --disable-gpu --window-size=1400,1100 \
                   --virtual-time-budget=10000 --dump-dom";
    let args = ["--kill-after=5", SECONDS].into_iter();
    let args = args.chain(browser.split(' ')).map(str::to_owned);
    let args = args.chain([
        format!("--user-data-dir={}", profile.path().display()),
        format!("--blink-settings=preferredColorScheme={theme}"),
        format!("file://{}", file.display()),
    ]);
    output(&command("timeout", args))
        .help("does `chromium --headless` work here? the package is chromium")
}

fn cases(dom: &str) -> Result<Vec<Case>> {
    let results = dom.split_once(RESULTS).map_or("", |(_, results)| results);
    let results = serde_json::Deserializer::from_str(results)
        .into_iter::<Vec<(String, Option<String>)>>()
        .next()
        .and_then(Result::ok)
        .filter(|results| !results.is_empty())
        .context("the tests in the page did not end")?;
    let cases = results.into_iter().map(|(name, error)| match error {
        None => Case::pass(name),
        Some(error) => Case::fail(name, error),
    });
    Ok(cases.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_and_silence_is_an_error() {
        let dom = |results| format!("<body>{RESULTS}{results}</script></body>");
        let found = cases(&dom(r#"[["a",null],["b","<p>"]]"#)).unwrap();
        assert_eq!(found, [Case::pass("a"), Case::fail("b", "<p>")]);
        for silent in [dom(""), dom("[]"), dom(r#"[["a",nu"#), String::new()] {
            assert!(cases(&silent).is_err(), "{silent}");
        }
    }
}
