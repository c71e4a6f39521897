// SPDX-License-Identifier: GPL-2.0

//! Packages of Debian that need not be installed, only unpacked: sources, and programs for arm64.
//!
//! They are looked for in the suites that `lab/data/debian.toml` lists, on the mirror that the
//! machine uses anyway, through a private apt for each suite: a source list, state and cache of its
//! own, so that the system's are not touched. apt checks Debian's signatures.

mod whole;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
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
pub use whole::unpack_whole;

/// What most packages are wanted for: what hosts run.
pub const ARM64: &str = "arm64";

/// The directories of the suites whose lists this process has read, and whether the mirror has them.
static READ: Mutex<BTreeMap<PathBuf, bool>> = Mutex::new(BTreeMap::new());

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suite {
    dir: PathBuf,
    log: PathBuf,
    /// The architecture, as Debian names it. What it has for all is there, too.
    arch: String,
}

/// A package at one version, in one suite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub suite: Suite,
    pub package: String,
    pub version: String,
}

/// The package at a version that `wanted` takes, from the first suite that has it.
pub fn first(
    project: &Project,
    packages: &Packages,
    package: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Found> {
    for suite in suites(project, packages)? {
        let mut found = suite?.find(package)?.into_iter();
        if let Some(found) = found.find(|it| it.package == package && wanted(&it.version)) {
            return Ok(found);
        }
    }
    bail!(
        "Debian ({}) has no such {package}",
        packages.suites.join(", ")
    );
}

/// Every version of the packages whose names begin in one of these ways, in all suites.
pub fn all(project: &Project, packages: &Packages, prefixes: &[String]) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for suite in suites(project, packages)? {
        let suite = suite?;
        for prefix in prefixes {
            found.extend(suite.find(prefix)?);
        }
    }
    Ok(found)
}

/// The suites that the mirror has. Each is opened when it is reached.
fn suites<'a>(
    project: &'a Project,
    packages: &'a Packages,
) -> Result<impl Iterator<Item = Result<Suite>> + 'a> {
    let keyring = packages.keyring()?;
    let mirror = mirror(project)?;
    let names = packages.suites.iter().map(std::slice::from_ref);
    let open = move |name| Suite::open(project, name, ARM64, &mirror, keyring);
    Ok(names.filter_map(move |name| open(name).transpose()))
}

impl Suite {
    /// Gets the package lists of a suite, or of several that belong together, once in the life of the
    /// process; none if the mirror does not have them.
    fn open(
        project: &Project,
        names: &[String],
        arch: &str,
        mirror: &str,
        keyring: &Path,
    ) -> Result<Option<Self>> {
        let mut name = names.join("+");
        if arch != ARM64 {
            name += &format!(":{arch}");
        }
        let suite = Self {
            dir: project.out("cache/apt").join(&name),
            log: project.log(&format!("apt-{name}")),
            arch: arch.to_owned(),
        };
        let mut read = READ.lock().expect("no thread fails with it");
        let is_there = match read.get(&suite.dir) {
            Some(&is_there) => is_there,
            None => suite.read(names, mirror, keyring)?,
        };
        read.insert(suite.dir.clone(), is_there);
        Ok(is_there.then_some(suite))
    }

    /// Sets up the private apt and reads the package lists; false if the mirror does not have them.
    fn read(&self, names: &[String], mirror: &str, keyring: &Path) -> Result<bool> {
        for dir in ["sources", "state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(self.dir.join(dir))?;
        }
        // An empty list of installed packages: the machine's own do not matter here.
        fs::write(self.dir.join("status"), "")?;
        let (names, keyring) = (names.join(" "), keyring.display());
        let source = format!(
            "Types: deb\nURIs: {mirror}\nSuites: {names}\nComponents: main\nSigned-By: {keyring}\n"
        );
        fs::write(self.dir.join("sources/lab.sources"), source)?;

        let what = format!("reading Debian's package list of {names}");
        let _step = Step::spinner(&*what);
        let update = self.apt("apt-get", &["update", "--error-on=any"]);
        let mut is_absent = false;
        let updated = logged(&what, &update, &self.log, |line| {
            is_absent |= line.contains("does not have a Release file");
        });
        match updated {
            Ok(()) => Ok(true),
            Err(_) if is_absent => Ok(false),
            Err(error) => Err(error).help("is the network up? then try again"),
        }
    }

    /// All versions of the packages whose names begin so, the newest of each first.
    fn find(&self, prefix: &str) -> Result<Vec<Found>> {
        let names = output(&self.apt("apt-cache", &["pkgnames", prefix]))?;
        let mut args = vec!["madison"];
        args.extend(names.lines());
        if args.len() == 1 {
            return Ok(Vec::new());
        }
        let table = output(&self.apt("apt-cache", &args))?;
        let found = parse_madison(&table).map(|(package, version)| Found {
            suite: self.clone(),
            package: package.to_owned(),
            version: version.to_owned(),
        });
        Ok(found.collect())
    }

    fn apt(&self, program: &str, args: &[&str]) -> Expression {
        let (dir, arch) = (self.dir.display(), &self.arch);
        let places = [
            format!("APT::Architecture={arch}"),
            format!("APT::Architectures={arch}"),
            format!("Dir::Etc::sourceparts={dir}/sources"),
            format!("Dir::State={dir}/state"),
            format!("Dir::State::status={dir}/status"),
            format!("Dir::Cache={dir}/cache"),
        ];
        let options = [
            "Dir::Etc::sourcelist=/dev/null",
            "Acquire::Languages=none",
            "Acquire::Retries=1",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
            // The user that apt would change to need not be able to write here.
            "APT::Sandbox::User=root",
        ];
        let options = options.into_iter().chain(places.iter().map(String::as_str));
        let options = options.flat_map(|option| ["-o", option]);
        command(program, args.iter().copied().chain(options))
    }
}

impl Found {
    /// Downloads the package, or what is left of it after an interrupted download.
    pub fn download(&self) -> Result<PathBuf> {
        let Self { suite, .. } = self;
        let wanted = format!("{}={}", self.package, self.version);
        let uris = output(&suite.apt("apt-get", &["download", "--print-uris", &wanted]))?;
        let Some((file, size)) = parse_uri(&uris) else {
            bail!("apt does not say where {wanted} is: {}", uris.trim());
        };
        let dir = suite.dir.join("cache/archives");
        let deb = dir.join(file);
        let what = format!("downloading {} {}", self.package, self.version);
        let step = Step::bytes(&*what, size);
        let download = suite.apt("apt-get", &["download", &wanted]).dir(&dir);
        std::thread::scope(|scope| {
            let download = scope.spawn(|| logged(&what, &download, &suite.log, |_| ()));
            while !download.is_finished() {
                std::thread::sleep(Duration::from_millis(100));
                step.set(deb.metadata().map_or(0, |meta| meta.len()));
            }
            download.join().expect("nothing here panics")
        })
        .help("is the network up? then try again: it goes on where it stopped")?;
        Ok(deb)
    }

    /// Downloads the package and unpacks it into a directory.
    pub fn unpack(&self, into: &Path) -> Result<()> {
        unpack(&self.download()?, into)
    }
}

fn unpack(deb: &Path, into: &Path) -> Result<()> {
    let args = ["-x".as_ref(), deb.as_os_str(), into.as_os_str()];
    output(&command("dpkg-deb", args))?;
    Ok(fs::remove_file(deb)?)
}

/// The mirror that the machine's apt uses.
pub fn mirror(project: &Project) -> Result<String> {
    let apt = Apt::find(project);
    if !apt.is_there {
        return Err(fault(
            "this needs packages of Debian, and there is no apt",
            "use a machine or a container with Debian",
        ));
    } else if !apt.has_lists() {
        apt.update()?;
    }
    let format = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";
    let args = ["indextargets", "--format", format, "Created-By: Packages"];
    let targets = output(&command("apt-get", args))?;
    choose_mirror(&targets).ok_or_else(|| {
        fault(
            "apt on this machine has no source of Debian's packages",
            "add a mirror of Debian to apt's sources, run apt-get update, and try again",
        )
    })
}

fn choose_mirror(targets: &str) -> Option<String> {
    let mut lines = targets.lines();
    let mirror = lines.find_map(|line| line.strip_prefix("Debian|Debian|"));
    mirror.map(str::to_owned)
}

/// The packages and versions in the table that `apt-cache madison` prints.
fn parse_madison(table: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = table.lines().filter(|line| line.ends_with("Packages"));
    lines.filter_map(|line| {
        let mut columns = line.split('|').map(str::trim);
        Some((columns.next()?, columns.next()?))
    })
}

/// The file name and size in what `apt-get download --print-uris` prints.
fn parse_uri(uris: &str) -> Option<(&Path, u64)> {
    let line = uris.lines().find(|line| line.starts_with('\''))?;
    let mut words = line.split(' ').skip(1);
    Some((Path::new(words.next()?), words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_table() {
        let table = "  rust-src | 1.96.1+dfsg1-2~bpo13+1 | http://m/debian x/main arm64 Packages\n\
                     \x20 rust-src | 1.95.0+dfsg1-2 | http://m/debian x/main arm64 Packages\n\
                     \x20     rustc | 1.95.0+dfsg1-2 | http://m/debian x/main Sources\n";
        let found: Vec<_> = parse_madison(table).collect();
        assert_eq!(
            found,
            [
                ("rust-src", "1.96.1+dfsg1-2~bpo13+1"),
                ("rust-src", "1.95.0+dfsg1-2")
            ]
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
