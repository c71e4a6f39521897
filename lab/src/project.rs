// SPDX-License-Identifier: GPL-2.0

//! Where things are: the checkout, and `out/`, which holds all that is built or downloaded.

use std::path::{Path, PathBuf};

/// A checkout of the project.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
}

/// Which implementation of the handlers a kernel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Handlers {
    C,
    Rust,
}

impl Handlers {
    pub const ALL: [Handlers; 2] = [Handlers::Rust, Handlers::C];

    pub fn name(self) -> &'static str {
        match self {
            Handlers::C => "c",
            Handlers::Rust => "rust",
        }
    }
}

impl Project {
    /// The checkout that this tool was built from.
    pub fn here() -> Self {
        let lab = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self {
            root: lab.parent().unwrap_or(lab).to_path_buf(),
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file or directory below `out/`.
    pub fn out(&self, below: impl AsRef<Path>) -> PathBuf {
        self.root.join("out").join(below)
    }

    /// The patched kernel tree.
    pub fn tree(&self) -> PathBuf {
        self.out("linux")
    }

    /// The build directory of a kernel.
    pub fn build_dir(&self, handlers: Handlers) -> PathBuf {
        self.out("build").join(handlers.name())
    }

    /// A finished kernel image.
    pub fn image(&self, handlers: Handlers) -> PathBuf {
        self.out("kernel").join(handlers.name()).join("Image")
    }

    /// The directory of the statically linked arm64 selftests (upstream's and ours), laid out as
    /// `tools/testing/selftests/kvm` builds them: `arm64/psci_test`, `get-reg-list`, ...
    pub fn selftests(&self) -> PathBuf {
        self.out("selftests")
    }

    /// The patched tree's UAPI headers, as `make headers` installs them.
    pub fn headers(&self) -> PathBuf {
        self.out("headers/usr/include")
    }

    /// The statically linked arm64 busybox.
    pub fn busybox(&self) -> PathBuf {
        self.out("cache/busybox/bin/busybox")
    }
}
