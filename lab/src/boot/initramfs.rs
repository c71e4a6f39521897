// SPDX-License-Identifier: GPL-2.0

//! Initial file systems: cpio archives in the `newc` format.
//!
//! The kernel unpacks several archives that follow each other, so what all boots share is packed
//! once and each boot appends a small archive of its own.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{ensure, Context, Result};
use cpio::newc::{trailer, Builder};

pub const DIRECTORY: u32 = 0o040755;
pub const FILE: u32 = 0o100644;
pub const PROGRAM: u32 = 0o100755;

/// An archive in the making: each name with its mode and content, directories before what is in
/// them. No times, owners or inode numbers of the build machine get in.
#[derive(Default)]
pub struct Archive(BTreeMap<String, (u32, Vec<u8>)>);

impl Archive {
    /// Adds a name, and the directories it needs.
    pub fn add(&mut self, name: &str, mode: u32, content: impl Into<Vec<u8>>) {
        for (end, _) in name.match_indices('/') {
            let above = name[..end].to_owned();
            self.0.insert(above, (DIRECTORY, Vec::new()));
        }
        self.0.insert(name.to_owned(), (mode, content.into()));
    }

    /// The finished archive, padded so that another one can follow.
    pub fn finish(self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for (name, (mode, content)) in self.0 {
            ensure!(!name.is_empty(), "names in an archive are relative");
            let size = u32::try_from(content.len())
                .with_context(|| format!("`{name}` is too large for a cpio archive"))?;
            let mut entry = Builder::new(&name).mode(mode).write(&mut bytes, size);
            entry.write_all(&content)?;
            entry.finish()?;
        }
        bytes = trailer(bytes)?;
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Archive {
        let mut archive = Archive::default();
        archive.add("a/b/hello", FILE, "hello");
        archive.add("a/b/empty", PROGRAM, "");
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
            ("a/b/empty", 0o100755),
            ("a/b/hello", 0o100644),
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
        let mut archive = Archive::default();
        archive.add("/init", PROGRAM, "");
        assert!(archive.finish().is_err());
    }
}
