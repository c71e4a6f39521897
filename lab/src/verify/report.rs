// SPDX-License-Identifier: GPL-2.0

//! The fleet report in a browser, made from a small fleet that was booted once.

mod hand;

use std::path::Path;

use anyhow::{bail, ensure, Result};
use serde_json::json;

use crate::base::disk::write_whole;
use crate::base::project::Project;
use crate::model::deviations;
use crate::model::matrix::Vm;
use crate::model::results::Case;
use crate::model::results::Groups;
use crate::report::page;
use crate::verify::browser::Browser;
use hand::{cell, center, mouse, press};

const FLEET: &str = "lab/testdata/fleet.json";

/// Below `out/`.
const PAGE: &str = "tmp/report.html";

/// Widths of windows: a laptop's and a phone's.
const WIDTHS: [u32; 2] = [1280, 390];
const THEMES: [&str; 2] = ["light", "dark"];

/// What the panel must tell about a move: dump, host, and texts.
type Told = (&'static str, &'static str, &'static [&'static str]);

const TOLD: [Told; 4] = [
    (
        "v2-6.1.129",
        "n1",
        &[
            "SMCCC_ARCH_WORKAROUND_3 = 2 (not required)",
            "EINVAL: exceeds the offer; the offer is 1 (available)",
        ],
    ),
    (
        "a57",
        "n1",
        &[
            "no way back",
            "D3",
            "D4",
            "SMCCC_ARCH_WORKAROUND_1 = 0 (not available)",
            "it should be told -1, and is told 1",
        ],
    ),
    ("a53", "a53", &["accepted again by the host"]),
    ("n1-6.1.172", "n1", &["not one of these"]),
];

pub fn run(project: &Project) -> Result<Groups> {
    let record = planner::files::matrix(&project.root().join(FLEET))?;
    let page = page::render(&record, &deviations::load(project)?)?;
    let path = project.out(PAGE);
    write_whole(&path, page.as_bytes())?;

    let mut groups = Groups::new();
    for width in WIDTHS {
        for theme in THEMES {
            let mut browser = Browser::start()?;
            let cases = in_window(&mut browser, &path, width, theme)?;
            groups.push((format!("{width}-{theme}"), cases));
        }
    }
    Ok(groups)
}

type Test = fn(&mut Browser) -> Result<()>;

const TESTS: [(&str, Test); 10] = [
    ("nothing-overflows", nothing_overflows),
    ("every-cell-has-a-sign-and-a-name", every_cell_has_a_sign),
    ("contrast", contrast),
    ("clicks", clicks),
    ("pointing", pointing),
    ("keyboard", keyboard),
    ("closing", closing),
    ("incident", incident),
    ("themes", themes),
    ("no-requests-and-no-complaints", no_requests),
];

fn in_window(browser: &mut Browser, page: &Path, width: u32, theme: &str) -> Result<Vec<Case>> {
    let window = json!({
        "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false
    });
    browser.call("Emulation.setDeviceMetricsOverride", window)?;
    let feature = json!({"name": "prefers-color-scheme", "value": theme});
    browser.call("Emulation.setEmulatedMedia", json!({"features": [feature]}))?;
    browser.load(page)?;
    let cases = TESTS.map(|(name, test)| Case::from_result(name, test(browser)));
    Ok(cases.into())
}

/// Only tables may be wider than their box, and that scrolls.
fn nothing_overflows(browser: &mut Browser) -> Result<()> {
    let over = browser.value(
        "[...document.querySelectorAll('body *')]
            .filter((it) => !it.closest('.scroll > *, .symbols, [hidden]'))
            .filter((it) => it.getBoundingClientRect().right > innerWidth + 0.5)
            .map((it) => it.outerHTML.slice(0, 80))
            .concat(document.documentElement.scrollWidth > innerWidth ? ['the page'] : [])",
    )?;
    ensure!(over == json!([]), "too wide: {over}");
    Ok(())
}

fn every_cell_has_a_sign(browser: &mut Browser) -> Result<()> {
    let bad = browser.value(
        "[...document.querySelectorAll('[role=grid] button')].filter((it) => {
            const sign = it.querySelector('use')?.getAttribute('href') ?? '#';
            return !document.querySelector(`symbol${sign}`) || !it.ariaLabel.includes(' to ');
        }).length",
    )?;
    let count = browser.value("document.querySelectorAll('[role=grid] button').length")?;
    ensure!(count.as_u64() > Some(0), "no cells");
    ensure!(bad == json!(0), "{bad} of {count} cells have none");
    Ok(())
}

/// As WCAG 2 computes it: 4.5 for texts, 3 for signs.
fn contrast(browser: &mut Browser) -> Result<()> {
    let low = browser.value(
        "(() => {
            const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((byte) => {
                const part = byte / 255;
                return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
            });
            const light = (colour) => {
                const [red, green, blue] = channels(colour);
                return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
            };
            const behind = (it) => {
                const colour = getComputedStyle(it).backgroundColor;
                return colour === 'rgba(0, 0, 0, 0)' && it.parentElement
                    ? behind(it.parentElement) : colour;
            };
            return [...document.querySelectorAll('p, li, th, td, dt, dd, h1, h2, h3, b, button')]
                .filter((it) => it.checkVisibility())
                .map((it) => {
                    const both = [light(getComputedStyle(it).color), light(behind(it))];
                    const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
                    return [ratio, it.outerHTML.slice(0, 80)];
                })
                .filter(([ratio]) => !(ratio >= 4.5));
        })()",
    )?;
    ensure!(low == json!([]), "too little contrast: {low}");
    Ok(())
}

fn clicks(browser: &mut Browser) -> Result<()> {
    for vm in Vm::ALL.map(Vm::name) {
        for (dump, host, texts) in TOLD {
            let (x, y) = center(browser, vm, dump, host)?;
            mouse(browser, "mouseMoved", x, y)?;
            mouse(browser, "mousePressed", x, y)?;
            mouse(browser, "mouseReleased", x, y)?;
            panel_tells(browser, dump, host, texts)?;
            let live = browser.value("document.getElementById('panel').ariaLive")?;
            ensure!(live == json!("polite"), "the panel is {live}");
        }
    }
    Ok(())
}

fn pointing(browser: &mut Browser) -> Result<()> {
    let [chosen, pointed, ..] = TOLD;
    let click = format!("{}.click()", cell("strict", chosen.0, chosen.1));
    browser.value(&click)?;
    let (x, y) = center(browser, "strict", pointed.0, pointed.1)?;
    mouse(browser, "mouseMoved", x, y)?;
    panel_tells(browser, pointed.0, pointed.1, pointed.2)?;
    mouse(browser, "mouseMoved", 1.0, 1.0)?;
    panel_tells(browser, chosen.0, chosen.1, chosen.2)
}

/// From the top with the tab key to the first table, and in it with the arrow keys.
fn keyboard(browser: &mut Browser) -> Result<()> {
    browser.value("document.activeElement.blur(), scrollTo(0, 0)")?;
    let first = "document.querySelector('[role=grid] button[tabindex=\"0\"]')";
    browser.value(&format!("{first}.tabIndex = -1"))?;
    browser.value("document.querySelector('[role=grid] button').tabIndex = 0")?;

    let stops = "document.querySelectorAll('[role=grid] button[tabindex=\"0\"]').length";
    let stops = browser.value(stops)?;
    ensure!(
        stops == json!(2),
        "{stops} stops of the tab key in 2 tables"
    );
    browser.value("document.querySelector('.theme button:last-child').focus()")?;
    for key in [
        "Tab",
        "ArrowDown",
        "ArrowRight",
        "ArrowRight",
        "ArrowLeft",
        "ArrowUp",
    ] {
        press(browser, key)?;
    }
    press(browser, "End")?;
    press(browser, "ArrowRight")?; // nowhere to go
    press(browser, "Home")?;
    press(browser, "ArrowRight")?;
    press(browser, "Enter")?;
    let place = browser.value(
        "(() => {
            const cell = document.activeElement.closest('td');
            return [cell.parentNode.rowIndex, cell.cellIndex];
        })()",
    )?;
    ensure!(place == json!([1, 2]), "the keys lead to {place}");
    panel_tells(browser, "a53", "a57", &["refused"])
}

/// The panel does not lie on what was chosen, and goes away.
fn closing(browser: &mut Browser) -> Result<()> {
    let (dump, host, _) = TOLD[0];
    let hint = "document.querySelector('#panel .hint') !== null";
    for close in ["document.querySelector('#panel .close').click()", "Escape"] {
        browser.value(&format!("{}.click()", cell("default", dump, host)))?;
        let free = browser.value(&format!(
            "{}.getBoundingClientRect().bottom <= \
             document.getElementById('panel').getBoundingClientRect().top",
            cell("default", dump, host)
        ))?;
        ensure!(free == json!(true), "the panel lies on the cell");
        match close {
            "Escape" => press(browser, close)?,
            _ => drop(browser.value(close)?),
        }
        ensure!(
            browser.value(hint)? == json!(true),
            "the panel is there still"
        );
    }
    Ok(())
}

fn incident(browser: &mut Browser) -> Result<()> {
    let text = "document.querySelector('[aria-labelledby=incident]').textContent";
    let text = browser.value(text)?.to_string();
    for expected in [
        "v2-6.1.129",
        "v2-6.1.172",
        "SMCCC_ARCH_WORKAROUND_3 = 2 (not required): EINVAL: exceeds the offer",
    ] {
        ensure!(text.contains(expected), "`{expected}` is not told");
    }
    Ok(())
}

/// The page follows the system, until it is told otherwise.
fn themes(browser: &mut Browser) -> Result<()> {
    let paper = "getComputedStyle(document.body).backgroundColor";
    let dark = browser.value("matchMedia('(prefers-color-scheme: dark)').matches")?;
    let system = browser.value(paper)?;
    let mut papers = Vec::new();
    for theme in THEMES {
        browser.value(&format!(
            "document.querySelector('[data-theme={theme}]').click()"
        ))?;
        papers.push(browser.value(paper)?);
    }
    let [light_paper, dark_paper] = &papers[..] else {
        unreachable!("two themes");
    };
    ensure!(light_paper != dark_paper, "both are {light_paper}");
    let expected = if dark == json!(true) {
        dark_paper
    } else {
        light_paper
    };
    ensure!(system == *expected, "{system} should be {expected}");
    Ok(())
}

fn no_requests(browser: &mut Browser) -> Result<()> {
    let mut requests = 0;
    for event in &browser.events {
        let method = event["method"].as_str().unwrap_or_default();
        match method {
            "Network.requestWillBeSent" => requests += 1,
            "Runtime.exceptionThrown" | "Log.entryAdded" | "Runtime.consoleAPICalled" => {
                bail!("the page complains: {event}")
            }
            _ => {}
        }
    }
    ensure!(
        requests == 1,
        "{requests} requests, the page's own included"
    );
    Ok(())
}

fn panel_tells(browser: &mut Browser, dump: &str, host: &str, texts: &[&str]) -> Result<()> {
    let text = browser.value("document.getElementById('panel').textContent")?;
    let text = text.as_str().unwrap_or_default();
    let title = format!("{dump} → {host}");
    for expected in [&*title].iter().chain(texts) {
        ensure!(
            text.contains(expected),
            "{dump} on {host}: `{expected}` is not in the panel, but: {text}"
        );
    }
    Ok(())
}
