// SPDX-License-Identifier: GPL-2.0

//! `lab jobs`: what hosts boot here, for a test engine that has others: LAVA, or `tuxrun`. `lab
//! results` reads what comes back.

use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use clap::Args;
use fs_err as fs;
use serde::Deserialize;
use yaml_rust2::{Yaml, YamlLoader};

use crate::ask::engine;
use crate::base::disk::{copy_whole, whole_dir, Lock};
use crate::base::error::Help;
use crate::base::kernel::Handlers;
use crate::base::process::{command, output};
use crate::base::progress::say;
use crate::base::project::Project;
use crate::boot::job::{engine_archive, Job};
use crate::boot::qemu::board;
use crate::build::{kernel, selftests, tree};
use crate::get::{self, venv};
use crate::model::hosts::{self, Host};
use crate::model::results::Report;
use crate::verify::selftests as our_selftests;

/// What a job has a host run.
const RUN: &str = "/run";

const QEMU: &str = "qemu-arm64";

/// How the script of the jobs begins.
const BY_HAND: &str =
    "#!/bin/sh\n# Runs each job for QEMU with tuxrun; fails if one fails.\nstatus=0\n";

#[derive(Debug, Args)]
pub struct Jobs {
    /// Where out/jobs will be served: the jobs name its files by this address
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Make jobs for boards, too, with this kernel, which has the component and the boards' drivers
    #[arg(long, value_name = "URL")]
    board_kernel: Option<String>,
}

/// The file `lab/data/jobs.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    hosts: Vec<String>,
    boards: Vec<String>,
    minutes: u32,
}

/// What a job boots, and how.
struct EngineJob {
    name: String,
    kernel: String,
    rootfs: String,
    /// The engine's name of the device.
    device: String,
    options: Vec<String>,
}

pub fn run(project: &Project, jobs: &Jobs) -> Result<()> {
    let tools = get::ensure(project, &[])?;
    let tree = tree::ensure(project)?;
    kernel::ensure_one(project, &tools, &tree, Handlers::Rust)?;
    let headers = selftests::export_headers(project, &tools, &tree)?;
    selftests::ensure(project, &tree, &headers)?;
    let requirements = project.root().join("lab/data/jobs/requirements.txt");
    let python = venv::ensure(project, "tuxlava", &requirements)?;

    let list = project.root().join("lab/data/jobs.toml");
    let list: List = toml::from_str(&fs::read_to_string(list)?)?;
    let into = project.base().join("jobs");
    let url = match &jobs.url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("file://{}", into.display()),
    };
    let mut names = Vec::new();
    let _lock = Lock::take(&project.base(), "jobs")?;
    whole_dir(&into, |dir| {
        copy_whole(&project.image(Handlers::Rust), &dir.join("Image"))?;
        fs::write(dir.join("rootfs.cpio.gz"), rootfs(project)?)?;
        // tuxlava looks whether files are there, and here they are not yet where they are to be.
        let here = format!("file://{}", dir.display());
        let mut by_hand = String::from(BY_HAND);
        for engine_job in engine_jobs(project, &list, jobs, &here)? {
            let args = engine_job.args(list.minutes);
            let mut of_tuxlava = vec!["-m", "tuxlava"];
            of_tuxlava.extend(args.iter().map(String::as_str));
            of_tuxlava.extend(["--lava-definition", "--", RUN]);
            let job = output(&command(&python.to_string_lossy(), of_tuxlava))
                .with_context(|| format!("tuxlava makes no job for {}", engine_job.device))?;
            refuse_odd(&job).with_context(|| format!("the job {}", engine_job.name))?;
            let file = dir.join(format!("{}.yaml", engine_job.name));
            fs::write(file, job.replace(&here, &url))?;
            if engine_job.device == QEMU {
                let args: Vec<String> = args.iter().map(|arg| quoted(arg)).collect();
                let args = args.join(" ").replace(&here, &url);
                let log = format!("--log-file-yaml {}.log", engine_job.name);
                by_hand += &format!("tuxrun {args} {log} -- {RUN} || status=1\n");
            }
            names.push(engine_job.name);
        }
        by_hand += "exit $status\n";
        Ok(fs::write(dir.join("tuxrun.sh"), by_hand)?)
    })?;
    for name in names {
        say(into.join(format!("{name}.yaml")).display().to_string());
    }
    say(format!("by hand: sh {}", into.join("tuxrun.sh").display()));
    if jobs.board_kernel.is_none() {
        say("none for boards: they need a kernel with their drivers, BOARD_KERNEL=URL");
    }
    Ok(())
}

/// Reads what has come back. Returns whether all is well.
pub fn results(files: &[PathBuf]) -> Result<bool> {
    let mut report = Report::new(anstream::stdout());
    for file in files {
        let text = fs::read(file)?;
        let groups = engine::results(&String::from_utf8_lossy(&text));
        let groups = groups
            .with_context(|| file.display().to_string())
            .help("pass LAVA's log, or the console or KTAP as it was: FILE=path")?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        report.suite(&name, groups)?;
    }
    Ok(report.finish()?.good())
}

impl EngineJob {
    /// As tuxlava and tuxrun take it.
    fn args(&self, minutes: u32) -> Vec<String> {
        let args = [
            "--device",
            &self.device,
            "--kernel",
            &self.kernel,
            "--rootfs",
            &self.rootfs,
        ];
        let mut args = args.map(String::from).to_vec();
        args.extend(self.options.iter().cloned());
        args.extend(["--timeouts".to_owned(), format!("commands={minutes}")]);
        args
    }
}

fn engine_jobs(project: &Project, list: &List, jobs: &Jobs, url: &str) -> Result<Vec<EngineJob>> {
    let all = hosts::load(project)?;
    let engine_job = |name: String, device: &str, kernel: String, options: Vec<String>| EngineJob {
        name,
        kernel,
        rootfs: format!("{url}/rootfs.cpio.gz"),
        device: device.to_owned(),
        options,
    };
    let mut made = Vec::new();
    for name in &list.hosts {
        let host: &Host = hosts::find(&all, name)?;
        ensure!(
            host.firmware.is_none(),
            "{name}: the engine has no firmware of ours"
        );
        let mut options = vec!["--parameters".to_owned()];
        options.extend([
            format!("cpu={}", host.cpu),
            format!("machine={}", board(host.el2)),
        ]);
        options.extend(["--boot-args".to_owned()]);
        options.push(
            format!("kunit.enable=0 {}", host.cmdline)
                .trim_end()
                .to_owned(),
        );
        made.push(engine_job(
            format!("qemu-{name}"),
            QEMU,
            format!("{url}/Image"),
            options,
        ));
    }
    if let Some(kernel) = &jobs.board_kernel {
        for device in &list.boards {
            let name = device.trim_start_matches("nfs-").to_owned();
            made.push(engine_job(name, device, kernel.clone(), Vec::new()));
        }
    }
    Ok(made)
}

/// The initial file system: a shell, the selftests, and what runs all of them.
fn rootfs(project: &Project) -> Result<Vec<u8>> {
    let mut job = Job::default();
    our_selftests::add(project, &mut job, Handlers::Rust)?;
    let mut archive = engine_archive(project)?;
    archive.extend(job.archive()?);
    let gzip = command("gzip", ["-9n"])
        .stdin_bytes(archive)
        .stdout_capture();
    Ok(gzip.run()?.stdout)
}

/// A job must be YAML, deploy, boot, test, and name files that are there.
fn refuse_odd(job: &str) -> Result<()> {
    let documents = YamlLoader::load_from_str(job)?;
    let job = documents.first().context("it is empty")?;
    let actions = job["actions"].as_vec().context("it has no actions")?;
    for wanted in ["deploy", "boot", "test"] {
        let has = actions.iter().any(|action| !action[wanted].is_badvalue());
        ensure!(has, "it does not {wanted}");
    }
    let mut urls = Vec::new();
    find_urls(job, &mut urls);
    ensure!(urls.len() >= 2, "it names no kernel or no file system");
    for file in urls.iter().filter_map(|url| url.strip_prefix("file://")) {
        ensure!(
            Path::new(file).is_file(),
            "it names {file}, which is not there"
        );
    }
    Ok(())
}

fn find_urls<'a>(yaml: &'a Yaml, urls: &mut Vec<&'a str>) {
    match yaml {
        Yaml::Array(list) => list.iter().for_each(|entry| find_urls(entry, urls)),
        Yaml::Hash(hash) => {
            for (key, value) in hash {
                match (key.as_str(), value.as_str()) {
                    (Some("url"), Some(url)) => urls.push(url),
                    _ => find_urls(value, urls),
                }
            }
        }
        _ => (),
    }
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=/:.,".contains(c);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_names_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["Image", "rootfs.cpio.gz"] {
            fs::write(dir.path().join(file), "").unwrap();
        }
        let job = "actions:\n- deploy:\n    kernel:\n      url: u/Image\n    rootfs:\n      \
                   url: u/rootfs.cpio.gz\n- boot:\n    method: qemu\n- test:\n    x: 1\n";
        let job = job.replace("u/", &format!("file://{}/", dir.path().display()));
        assert!(refuse_odd(&job).is_ok());
        for (old, new) in [
            ("Image", "image"),
            ("- test", "- toast"),
            ("method: qemu", "- ["),
        ] {
            assert!(refuse_odd(&job.replace(old, new)).is_err(), "{old}");
        }
    }

    #[test]
    fn the_hosts_of_the_list_are_there() {
        let project = Project::here();
        let list = fs::read_to_string(project.root().join("lab/data/jobs.toml")).unwrap();
        let list: List = toml::from_str(&list).unwrap();
        let jobs = Jobs {
            url: None,
            board_kernel: Some("k".to_owned()),
        };
        let made = engine_jobs(&project, &list, &jobs, "u").unwrap();
        assert_eq!(made.len(), list.hosts.len() + list.boards.len());
        let args = made[0].args(5).join(" ");
        assert!(
            args.contains("--kernel u/Image") && args.contains("cpu="),
            "{args}"
        );
    }

    #[test]
    fn a_word_stays_one() {
        assert_eq!(quoted("cpu=max,x=on"), "cpu=max,x=on");
        assert_eq!(quoted("a b'c"), r"'a b'\''c'");
    }
}
