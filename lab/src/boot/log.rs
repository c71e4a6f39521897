// SPDX-License-Identifier: GPL-2.0

//! The file where a host's console goes, read while the host writes it.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err::File;

use crate::boot::console;

pub struct Log {
    pub path: PathBuf,
    file: File,
    /// What has been read and not been taken.
    rest: Vec<u8>,
}

impl Log {
    /// A log that somebody else writes.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: File::open(path)?,
            rest: Vec::new(),
        })
    }

    /// Takes what comes before `mark`, and that. None until it is there.
    pub fn take(&mut self, mark: &str) -> Result<Option<String>> {
        // The mark may begin in what was there before.
        let from = self.rest.len().saturating_sub(mark.len());
        self.file.read_to_end(&mut self.rest)?;
        let mut windows = self.rest[from..].windows(mark.len());
        let found = windows.position(|window| window == mark.as_bytes());
        Ok(found.map(|at| {
            let taken = self.rest.drain(..from + at + mark.len());
            console::clean(taken.as_slice())
        }))
    }

    /// Takes all that there is.
    pub fn take_rest(&mut self) -> Result<String> {
        self.file.read_to_end(&mut self.rest)?;
        Ok(console::clean(&std::mem::take(&mut self.rest)))
    }

    /// Makes it a text for people, all of which is returned. Nobody may write it any more.
    pub fn clean(&self) -> Result<String> {
        let text = console::clean(&fs_err::read(&self.path)?);
        fs_err::write(&self.path, &text)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_log_is_taken_piece_by_piece_while_it_grows() {
        let mut host = tempfile::NamedTempFile::new().unwrap();
        let mut log = Log::open(host.path()).unwrap();
        let mut write = |text: &str| host.write_all(text.as_bytes()).unwrap();

        write("one\r\n@re");
        assert_eq!(log.take("@ready").unwrap(), None);
        write("ady\r\ntwo\n@ready");
        assert_eq!(log.take("@ready").unwrap().unwrap(), "one\n@ready");
        assert_eq!(log.take("@ready").unwrap().unwrap(), "\ntwo\n@ready");
        assert_eq!(log.take("@ready").unwrap(), None);
        write("\r\nthree");
        assert_eq!(log.take_rest().unwrap(), "\nthree");
        assert_eq!(log.take_rest().unwrap(), "");

        let whole = "one\n@ready\ntwo\n@ready\nthree";
        assert_eq!(log.clean().unwrap(), whole);
        assert_eq!(fs_err::read_to_string(&log.path).unwrap(), whole);
    }
}
