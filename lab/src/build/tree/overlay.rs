// SPDX-License-Identifier: GPL-2.0

//! Which of our files goes where in a kernel tree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;

use crate::base::project::Project;

/// Files and directories here, and their places in a kernel tree.
const PLACES: [(&str, &str); 9] = [
    ("Kbuild", "arch/arm64/kvm/fw_regs/Kbuild"),
    ("Kconfig", "arch/arm64/kvm/fw_regs/Kconfig"),
    ("rust/fw_regs", "arch/arm64/kvm/fw_regs"),
    ("rust/kernel", "rust/kernel"),
    ("rust/helpers", "rust/helpers"),
    ("rust/macros", "rust/macros"),
    ("selftests/kvm", "tools/testing/selftests/kvm"),
    ("samples", "samples"),
    ("Documentation", "Documentation"),
];

/// Our files by their path in a kernel tree.
pub fn files(project: &Project) -> Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    for (ours, theirs) in PLACES {
        collect(&project.root().join(ours), theirs.to_owned(), &mut files)?;
    }
    Ok(files)
}

fn collect(ours: &Path, theirs: String, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    if !ours.is_dir() {
        files.insert(theirs, ours.to_path_buf());
        return Ok(());
    }
    for entry in fs::read_dir(ours)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // What editors leave behind.
        let is_hidden = name.starts_with('.') && name != ".gitignore";
        let junk = is_hidden || name.starts_with('#') || name.ends_with('~');
        if !junk {
            collect(&entry.path(), format!("{theirs}/{name}"), files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_has_its_place() {
        let files = files(&Project::here()).unwrap();
        let place = "arch/arm64/kvm/fw_regs/Kconfig";
        assert_eq!(files[place], Project::here().root().join("Kconfig"));
    }

    #[test]
    fn junk_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.rs", ".a.rs.swp", "a.rs~", "#a.rs#"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let mut files = BTreeMap::new();
        collect(dir.path(), "rust".into(), &mut files).unwrap();
        assert_eq!(files.into_keys().collect::<Vec<_>>(), ["rust/a.rs"]);
    }
}
