// SPDX-License-Identifier: GPL-2.0

//! The hand of whoever reads the page: where things are, the mouse and the keys.

use anyhow::{Context, Result};
use serde_json::{json, Value};

use crate::verify::browser::Browser;

/// An expression for the button of a move.
pub fn cell(vm: &str, dump: &str, host: &str) -> String {
    format!(
        "(() => {{
            const grid = document.querySelector('[data-vm={vm}]');
            const name = (it) => it.textContent.trim();
            const row = [...grid.rows].find((it) => name(it.cells[0]) === '{dump}');
            const column = [...grid.rows[0].cells].findIndex((it) => name(it) === '{host}');
            return row.cells[column].querySelector('button');
        }})()"
    )
}

/// Where the button is, once it has been scrolled to.
pub fn center(browser: &mut Browser, vm: &str, dump: &str, host: &str) -> Result<(f64, f64)> {
    let place = browser.value(&format!(
        "(() => {{
            const button = {};
            button.scrollIntoView({{block: 'start', inline: 'center'}});
            scrollBy(0, -200);
            const box = button.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()",
        cell(vm, dump, host)
    ))?;
    let number = |index: usize| place[index].as_f64();
    let place = number(0).zip(number(1));
    place.with_context(|| format!("no cell for {dump} on {host}"))
}

pub fn mouse(browser: &mut Browser, kind: &str, x: f64, y: f64) -> Result<Value> {
    let event = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
    browser.call("Input.dispatchMouseEvent", event)
}

pub fn press(browser: &mut Browser, key: &str) -> Result<()> {
    let code = match key {
        "Tab" => 9,
        "Enter" => 13,
        "End" => 35,
        "Escape" => 27,
        "Home" => 36,
        "ArrowLeft" => 37,
        "ArrowUp" => 38,
        "ArrowRight" => 39,
        _ => 40,
    };
    for kind in ["keyDown", "keyUp"] {
        let mut event = json!({
            "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code
        });
        if (key, kind) == ("Enter", "keyDown") {
            event["text"] = json!("\r");
        }
        browser.call("Input.dispatchKeyEvent", event)?;
    }
    Ok(())
}
