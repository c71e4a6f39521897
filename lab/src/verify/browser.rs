// SPDX-License-Identifier: GPL-2.0

//! A browser without a window, driven through pipes by the Chrome DevTools Protocol.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{bail, Context, Result};
use serde_json::{json, Value};
use tempfile::TempDir;

use crate::base::error::Help;

const PROGRAM: &str = "chromium";

/// The browser is ended if it takes longer than that for all that it is asked.
const SECONDS: &str = "120";

/// The protocol's pipes are the descriptors 3 and 4.
const START: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// One page of a browser of its own.
pub struct Browser {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Names the page in messages, once there is one.
    session: Option<String>,
    calls: u64,
    /// What happened, in order: requests, and complaints of the page.
    pub events: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    pub fn start() -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", SECONDS, "sh", "-c", START, PROGRAM]);
        command.args(["--headless", "--remote-debugging-pipe", "--disable-gpu"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        if rustix::process::geteuid().is_root() {
            // Root's processes have no sandbox. The page is our own.
            command.arg("--no-sandbox");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .help("`timeout` is of the package coreutils")?;
        let input = child.stdin.take().context("no pipe to the browser")?;
        let output = child.stdout.take().context("no pipe from the browser")?;

        let mut browser = Self {
            child,
            input,
            output: BufReader::new(output),
            session: None,
            calls: 0,
            events: Vec::new(),
            _profile: profile,
        };
        browser
            .open_page()
            .help("does `chromium --headless` work here? the package is chromium")?;
        Ok(browser)
    }

    fn open_page(&mut self) -> Result<()> {
        let target = self.call("Target.createTarget", json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.call("Target.attachToTarget", attach)?;
        self.session = Some(text(&session["sessionId"])?);
        for domain in ["Page", "Network", "Runtime", "Log"] {
            self.call(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(())
    }

    /// Loads a file, and waits until that is done.
    pub fn load(&mut self, file: &Path) -> Result<()> {
        let url = format!("file://{}", file.display());
        self.events.clear();
        let loaded = self.call("Page.navigate", json!({"url": url}))?;
        if let Some(error) = loaded.get("errorText") {
            bail!("{url}: {error}");
        }
        while !self.has_event("Page.loadEventFired") {
            let message = self.read()?;
            self.events.push(message);
        }
        Ok(())
    }

    /// The value of an expression in the page.
    pub fn value(&mut self, expression: &str) -> Result<Value> {
        let evaluate = json!({"expression": expression, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", evaluate)?;
        if let Some(exception) = answer.get("exceptionDetails") {
            bail!("{expression}: {exception}");
        }
        Ok(answer["result"]["value"].take())
    }

    /// A call of the protocol.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value> {
        self.calls += 1;
        let id = self.calls;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let sent = write!(self.input, "{message}\0").and_then(|()| self.input.flush());
        sent.with_context(|| format!("{PROGRAM} ended before {method}"))?;
        loop {
            let mut message = self.read().with_context(|| method.to_owned())?;
            if message["id"] != json!(id) {
                self.events.push(message);
                continue;
            }
            if let Some(error) = message.get("error") {
                bail!("{method}: {error}");
            }
            return Ok(message["result"].take());
        }
    }

    fn read(&mut self) -> Result<Value> {
        let mut message = Vec::new();
        self.output.read_until(0, &mut message)?;
        if message.pop() != Some(0) {
            bail!("{PROGRAM} ended");
        }
        Ok(serde_json::from_slice(&message)?)
    }

    fn has_event(&self, method: &str) -> bool {
        self.events.iter().any(|event| event["method"] == method)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends by itself when it is told to, or when its pipe is closed; `timeout` sees to it.
        self.session = None;
        let _ = self.call("Browser.close", json!({}));
        let _ = self.child.wait();
    }
}

fn text(value: &Value) -> Result<String> {
    let text = value.as_str();
    Ok(text.with_context(|| format!("{value} is no text"))?.into())
}
