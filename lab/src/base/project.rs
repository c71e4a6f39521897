// SPDX-License-Identifier: GPL-2.0

//! Where things are: the checkout, and `out/`, which holds all that is built or downloaded.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::base::error::Help;
use crate::base::kernel::Kernel;
use crate::base::version::Version;

/// A checkout of the project, and the kernel tree that it is applied to.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
    out: PathBuf,
    /// The user's own kernel tree, if it is not Debian's source that is patched.
    kdir: Option<PathBuf>,
    /// Which series of Debian's sources, if not the newest that is supported.
    series: Option<Version>,
    /// Where a tree is that has all of ours already, if it is not ours to patch.
    as_it_is: Option<PathBuf>,
    /// The hosts that the fleet has, if it does not have all.
    hosts: Vec<String>,
}

impl Project {
    /// The checkout that this tool was built from.
    pub fn here() -> Self {
        let lab = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = lab.parent().unwrap_or(lab).to_path_buf();
        let out = root.join("out");
        Self {
            root,
            // Compilers tell the real path where out/ is a link.
            out: out.canonicalize().unwrap_or(out),
            kdir: None,
            series: None,
            as_it_is: None,
            hosts: Vec::new(),
        }
    }

    /// The same checkout, applied to a copy of the user's own kernel tree. That tree itself is
    /// only read.
    pub fn with_kdir(mut self, kdir: &Path) -> anyhow::Result<Self> {
        let found = kdir.canonicalize();
        self.kdir = Some(
            found
                .with_context(|| format!("KDIR={}", kdir.display()))
                .help("pass the top directory of a kernel tree, or none for Debian's source")?,
        );
        Ok(self)
    }

    /// The same checkout, applied to Debian's source of this series.
    pub fn with_series(mut self, series: Version) -> Self {
        self.series = Some(series);
        self
    }

    /// The same checkout with the tree below `base`, which is built but not patched.
    pub fn with_tree_as_it_is(mut self, base: &Path) -> Self {
        self.as_it_is = Some(base.to_path_buf());
        self
    }

    /// The same checkout with these hosts alone, all if there are none.
    pub fn with_hosts(mut self, names: Vec<String>) -> Self {
        self.hosts = names;
        self
    }

    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    pub fn patches_its_tree(&self) -> bool {
        self.as_it_is.is_none()
    }

    /// Whether the examples in the documentation of the kernel's Rust code are built and run. They
    /// take a minute, and are the same for both trees.
    pub fn has_doctests(&self) -> bool {
        !self.patches_its_tree()
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn kdir(&self) -> Option<&Path> {
        self.kdir.as_deref()
    }

    pub fn series(&self) -> Option<Version> {
        self.series
    }

    /// The options of the command line that name the tree.
    pub fn options(&self) -> Vec<OsString> {
        match (&self.kdir, self.series) {
            (Some(kdir), _) => vec!["--kdir".into(), kdir.into()],
            (None, Some(series)) => vec!["--kernel".into(), series.to_string().into()],
            (None, None) => Vec::new(),
        }
    }

    /// A file or directory below `out/`.
    pub fn out(&self, below: impl AsRef<Path>) -> PathBuf {
        self.out.join(below)
    }

    /// Where the patched tree and all that is built from it is: `out/`, or a directory of its own
    /// for each series that was asked for and each tree of the user's.
    pub fn base(&self) -> PathBuf {
        match (&self.as_it_is, &self.kdir, self.series) {
            (Some(base), _, _) => base.clone(),
            (None, None, None) => self.out(""),
            (None, None, Some(series)) => self.out(format!("kernel-{series}")),
            (None, Some(kdir), _) => self.out("kdir").join(file_name_of(kdir)),
        }
    }

    pub fn tree(&self) -> PathBuf {
        self.base().join("linux")
    }

    pub fn build_dir(&self, kernel: impl Into<Kernel>) -> PathBuf {
        self.base().join("build").join(kernel.into().to_string())
    }

    pub fn image(&self, kernel: impl Into<Kernel>) -> PathBuf {
        let kernel = kernel.into();
        let kernels = match kernel {
            Kernel::Ours(_) | Kernel::Variant(_) => self.base().join("kernel"),
            Kernel::Debian(_) => self.out("cache/kernel"),
        };
        kernels.join(kernel.to_string()).join("Image")
    }

    /// The directory of the statically linked arm64 selftests (upstream's and ours), laid out as
    /// `tools/testing/selftests/kvm` builds them: `arm64/psci_test`, `get-reg-list`, ...
    pub fn selftests(&self) -> PathBuf {
        self.base().join("selftests")
    }

    /// The hosts' EL3 firmware, and what tests it in the place of a kernel.
    pub fn firmware(&self) -> PathBuf {
        self.out("firmware/el3.bin")
    }

    pub fn firmware_test(&self) -> PathBuf {
        self.out("firmware/test.bin")
    }

    /// The guest that is moved while it runs.
    pub fn guest(&self) -> PathBuf {
        self.out("firmware/guest.bin")
    }

    /// The statically linked arm64 busybox.
    pub fn busybox(&self) -> PathBuf {
        self.out("cache/busybox/bin/busybox")
    }

    pub fn log(&self, step: &str) -> PathBuf {
        self.base().join("log").join(format!("{step}.log"))
    }
}

/// A path as the name of one file, another one for each path. Kbuild takes no directory with spaces
/// or colons in its name.
fn file_name_of(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    let bytes = bytes.strip_prefix(b"/").unwrap_or(bytes);
    let part = |byte: &u8| match byte {
        b'/' => "-".to_owned(),
        b'.' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(*byte).to_string(),
        byte => format!("_{byte:02x}"),
    };
    bytes.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::render;

    #[test]
    fn a_tree_that_is_not_there_is_told_with_advice() {
        let error = Project::here().with_kdir(Path::new("/none")).unwrap_err();
        assert_eq!(
            render(&error),
            "error: KDIR=/none: No such file or directory (os error 2)\n\
             help: pass the top directory of a kernel tree, or none for Debian's source"
        );
    }

    #[test]
    fn each_tree_has_a_directory_of_its_own() {
        let name = |path: &str| file_name_of(Path::new(path));
        assert_eq!(name("/home/me/linux.git"), "home-me-linux.git");
        assert_eq!(name("/home/me-linux"), "home-me_2dlinux");
        assert_eq!(name("/a b:c"), "a_20b_3ac");
    }
}
