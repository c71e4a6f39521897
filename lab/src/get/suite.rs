// SPDX-License-Identifier: GPL-2.0

//! A private apt for one suite of Debian: a source list, state and cache of its own, so that the
//! system's are not touched.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{bail, Result};
use duct::Expression;
use fs_err as fs;

use super::apt::Apt;
use super::packages::Packages;
use crate::base::error::{fault, Help};
use crate::base::process::{command, logged, output};
use crate::base::progress::Step;
use crate::base::project::Project;

pub struct Suite {
    name: String,
    dir: PathBuf,
    log: PathBuf,
}

impl Suite {
    /// Sets up the private apt and gets the suite's package lists; none if the mirror does not
    /// have this suite.
    pub fn open(project: &Project, packages: &Packages, name: &str) -> Result<Option<Self>> {
        let suite = Self {
            name: name.to_string(),
            dir: project.out("cache/apt").join(name),
            log: project.log(&format!("apt-{name}")),
        };
        for dir in ["sources", "state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(suite.dir.join(dir))?;
        }
        // An empty list of installed packages: the machine's own are of no concern here.
        fs::write(suite.dir.join("status"), "")?;
        fs::write(
            suite.dir.join("sources/lab.sources"),
            suite.source(&mirror(project)?, packages)?,
        )?;
        let there = suite.update()?;
        Ok(there.then_some(suite))
    }

    fn source(&self, mirror: &str, packages: &Packages) -> Result<String> {
        let Some(keyring) = packages.keyring() else {
            return Err(fault(
                "Debian's keys are not on this machine",
                "install the package debian-archive-keyring",
            ));
        };
        Ok(format!(
            "Types: deb\nURIs: {mirror}\nSuites: {}\nComponents: main\nSigned-By: {}\n",
            self.name,
            keyring.display()
        ))
    }

    fn update(&self) -> Result<bool> {
        let step = Step::spinner(format!("reading Debian's package list of {}", self.name));
        let mut absent = false;
        let updated = logged(
            "reading Debian's package lists",
            &self.apt("apt-get", ["update", "--error-on=any"]),
            &self.log,
            |line| absent |= line.contains("does not have a Release file"),
        );
        drop(step);
        match updated {
            Ok(()) => Ok(true),
            Err(_) if absent => Ok(false),
            Err(error) => Err(error).help("is the network up? then try again"),
        }
    }

    /// The names of the packages that begin so.
    pub fn names(&self, prefix: &str) -> Result<Vec<String>> {
        let names = output(&self.apt("apt-cache", ["pkgnames", prefix]))?;
        Ok(names.lines().map(str::to_string).collect())
    }

    /// The versions of a package, newest first.
    pub fn versions(&self, package: &str) -> Result<Vec<String>> {
        let table = output(&self.apt("apt-cache", ["madison", package]))?;
        Ok(parse_madison(&table))
    }

    /// Downloads a package, or what is left of it after an interrupted download.
    pub fn download(&self, package: &str, version: &str) -> Result<PathBuf> {
        let wanted = format!("{package}={version}");
        let uris = output(&self.apt("apt-get", ["download", "--print-uris", &wanted]))?;
        let Some((file, size)) = parse_uri(&uris) else {
            bail!("apt does not say where {wanted} is: {}", uris.trim());
        };
        let dir = self.dir.join("cache/archives");
        let deb = dir.join(file);
        let step = Step::bytes(format!("downloading {package} {version}"), size);
        let download = self.apt("apt-get", ["download", &wanted]).dir(&dir);
        std::thread::scope(|scope| {
            let download = scope.spawn(|| logged("the download", &download, &self.log, |_| ()));
            while !download.is_finished() {
                std::thread::sleep(Duration::from_millis(100));
                step.set(deb.metadata().map_or(0, |meta| meta.len()));
            }
            download
                .join()
                .unwrap_or_else(|_| bail!("the download died"))
        })
        .help("is the network up? then try again: it goes on where it stopped")?;
        Ok(deb)
    }

    fn apt<const N: usize>(&self, program: &str, args: [&str; N]) -> Expression {
        let dir = self.dir.display();
        let options = [
            "Dir::Etc::sourcelist=/dev/null".to_string(),
            format!("Dir::Etc::sourceparts={dir}/sources"),
            format!("Dir::State={dir}/state"),
            format!("Dir::State::status={dir}/status"),
            format!("Dir::Cache={dir}/cache"),
            // What is wanted is for arm64 or for all architectures.
            "APT::Architecture=arm64".to_string(),
            "APT::Architectures=arm64".to_string(),
            "Acquire::Languages=none".to_string(),
            "Acquire::Retries=1".to_string(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_string(),
            // The user that apt would change to need not be able to write here.
            "APT::Sandbox::User=root".to_string(),
        ];
        let options = options.iter().flat_map(|option| ["-o", option]);
        command(program, args.into_iter().chain(options))
    }
}

/// The mirror that the machine's apt uses.
pub fn mirror(project: &Project) -> Result<String> {
    let Some(apt) = Apt::find(project) else {
        return Err(fault(
            "this needs packages of Debian, and there is no apt",
            "use a machine or a container with Debian",
        ));
    };
    apt.ensure_lists()?;
    let format = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";
    let filter = "Created-By: Packages";
    let targets = output(&command(
        "apt-get",
        ["indextargets", "--format", format, filter],
    ))?;
    choose_mirror(&targets).ok_or_else(|| {
        fault(
            "apt on this machine has no source of Debian's packages",
            "add a mirror of Debian to apt's sources, run apt-get update, and try again",
        )
    })
}

fn choose_mirror(targets: &str) -> Option<String> {
    let mut uris = targets
        .lines()
        .filter_map(|line| line.strip_prefix("Debian|Debian|"));
    uris.next().map(str::to_string)
}

fn parse_madison(table: &str) -> Vec<String> {
    let versions = table.lines().filter(|line| line.ends_with("Packages"));
    let versions = versions.filter_map(|line| line.split('|').nth(1));
    versions.map(|version| version.trim().to_string()).collect()
}

/// The file name and size in what `apt-get download --print-uris` prints.
fn parse_uri(uris: &str) -> Option<(&Path, u64)> {
    let mut words = uris
        .lines()
        .find(|line| line.starts_with('\''))?
        .split(' ')
        .skip(1);
    let file = Path::new(words.next()?);
    let size = words.next()?.parse().ok()?;
    Some((file, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_table() {
        let table = "  rust-src | 1.96.1+dfsg1-2~bpo13+1 | http://m/debian x/main arm64 Packages\n\
                     \x20 rust-src | 1.95.0+dfsg1-2 | http://m/debian x/main arm64 Packages\n\
                     \x20     rustc | 1.95.0+dfsg1-2 | http://m/debian x/main Sources\n";
        assert_eq!(
            parse_madison(table),
            ["1.96.1+dfsg1-2~bpo13+1", "1.95.0+dfsg1-2"]
        );
    }

    #[test]
    fn file_and_size_are_read_from_the_uri() {
        let uris = "'http://m/pool/x_1%7e2_all.deb' x_1~2_all.deb 1667 SHA256:70\n";
        assert_eq!(parse_uri(uris), Some((Path::new("x_1~2_all.deb"), 1667)));
        assert_eq!(parse_uri(""), None);
    }

    #[test]
    fn the_mirror_is_debians_main_archive() {
        let targets = "Debian|Debian-Security|http://m/debian-security/\n\
                       Google|Google|http://g/\n\
                       Debian|Debian|http://m/debian/\n";
        assert_eq!(choose_mirror(targets).as_deref(), Some("http://m/debian/"));
        assert_eq!(choose_mirror("Ubuntu|Ubuntu|http://u/\n"), None);
    }
}
