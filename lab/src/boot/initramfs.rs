// SPDX-License-Identifier: GPL-2.0

//! Initial file systems: cpio archives in the `newc` format.
//!
//! The kernel unpacks several archives that follow each other, so what all boots share is packed
//! once and each boot appends a small archive of its own.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use cpio::newc::{Builder, ModeFileType};

/// An archive in the making. The same calls give the same bytes: no times, owners or inode
/// numbers of the build machine get in.
#[derive(Debug, Default, Clone)]
pub struct Archive {
    bytes: Vec<u8>,
    directories: BTreeSet<String>,
}

impl Archive {
    /// Adds a directory, and those above it.
    pub fn directory(&mut self, name: &str) -> Result<()> {
        if let Some((above, _)) = name.rsplit_once('/') {
            self.directory(above)?;
        }
        if self.directories.insert(name.to_owned()) {
            self.entry(name, ModeFileType::Directory, 0o755, &[])?;
        }
        Ok(())
    }

    /// Adds a file and the directories it needs.
    pub fn file(&mut self, name: &str, permissions: u32, content: &[u8]) -> Result<()> {
        if let Some((above, _)) = name.rsplit_once('/') {
            self.directory(above)?;
        }
        self.entry(name, ModeFileType::Regular, permissions, content)
    }

    /// Adds a program of the build machine's file system.
    pub fn program(&mut self, name: &str, from: &Path) -> Result<()> {
        self.file(name, 0o755, &fs_err::read(from)?)
    }

    /// The finished archive, padded so that another one can follow.
    pub fn finish(self) -> Result<Vec<u8>> {
        let mut bytes = cpio::newc::trailer(self.bytes)?;
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        Ok(bytes)
    }

    fn entry(
        &mut self,
        name: &str,
        kind: ModeFileType,
        permissions: u32,
        content: &[u8],
    ) -> Result<()> {
        ensure!(
            !name.is_empty() && !name.starts_with('/'),
            "`{name}`: names in an archive are relative"
        );
        let size = u32::try_from(content.len())
            .with_context(|| format!("`{name}` is too large for a cpio archive"))?;
        let entry = Builder::new(name)
            .mode(permissions)
            .set_mode_file_type(kind);
        let mut entry = entry.write(&mut self.bytes, size);
        entry.write_all(content)?;
        entry.finish()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Archive {
        let mut archive = Archive::default();
        archive.file("a/b/hello", 0o644, b"hello").unwrap();
        archive.file("a/b/empty", 0o755, b"").unwrap();
        archive
    }

    fn names(mut bytes: &[u8]) -> Vec<(String, u32)> {
        let mut names = Vec::new();
        loop {
            let reader = cpio::newc::Reader::new(bytes).unwrap();
            if reader.entry().is_trailer() {
                return names;
            }
            names.push((reader.entry().name().to_owned(), reader.entry().mode()));
            bytes = reader.finish().unwrap();
        }
    }

    #[test]
    fn directories_come_once_and_before_their_files() {
        let expected = [
            ("a", 0o040755),
            ("a/b", 0o040755),
            ("a/b/hello", 0o100644),
            ("a/b/empty", 0o100755),
        ];
        let bytes = sample().finish().unwrap();
        let found = names(&bytes);
        assert_eq!(
            found
                .iter()
                .map(|(n, m)| (n.as_str(), *m))
                .collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn the_same_calls_give_the_same_bytes() {
        assert_eq!(sample().finish().unwrap(), sample().finish().unwrap());
    }

    #[test]
    fn archives_can_follow_each_other() {
        assert_eq!(sample().finish().unwrap().len() % 4, 0);
    }

    #[test]
    fn absolute_names_are_refused() {
        assert!(Archive::default().file("/init", 0o755, b"").is_err());
    }
}
