// SPDX-License-Identifier: GPL-2.0

//! Files and directories that are whole or not there at all, and the space for them.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;
use rustix::fs::{flock, FlockOperation};

use crate::base::error::{fault, Help};
use crate::base::progress::say;

/// What the names of unfinished directories begin with.
const UNFINISHED: &str = ".lab-";

/// The file that tells what a directory was made with.
const MADE_WITH: &str = "lab.made-with";

/// Makes a directory whole or not at all: `fill` works on a temporary one beside it.
pub fn whole_dir(into: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let parent = made_parent(into)?;
    let name = into.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!("{UNFINISHED}{name}-");
    // What a killed run left behind.
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    let temporary = tempfile::Builder::new()
        .prefix(&prefix)
        // A temporary directory is private by default; what is in this one is not.
        .permissions(PermissionsExt::from_mode(0o755))
        .tempdir_in(parent)?;
    fill(temporary.path())?;
    if into.exists() {
        fs::remove_dir_all(into)?;
    }
    fs::rename(temporary.path(), into)?;
    // There is nothing left to be removed.
    let _ = temporary.keep();
    Ok(())
}

/// The directory that a file is in, which exists then.
fn made_parent(of: &Path) -> Result<&Path> {
    let parent = of.parent().unwrap_or(of);
    fs::create_dir_all(parent)?;
    Ok(parent)
}

/// What was built in a directory with other tools, or from something else, is of no use there:
/// removes it, unless it was made with this. Returns whether it did.
pub fn made_with(dir: &Path, what: &str) -> Result<bool> {
    if is_made_with(dir, what) {
        return Ok(false);
    }
    let removed = dir.exists() && fs::read_dir(dir)?.next().is_some();
    if removed {
        fs::remove_dir_all(dir)?;
    }
    note_made_with(dir, what)?;
    Ok(removed)
}

pub fn note_made_with(dir: &Path, what: &str) -> Result<()> {
    write_whole(&dir.join(MADE_WITH), what.as_bytes())
}

pub fn is_made_with(dir: &Path, what: &str) -> bool {
    fs::read_to_string(dir.join(MADE_WITH)).is_ok_and(|before| before == what)
}

/// Writes a file so that its name never stands for half of it.
pub fn write_whole(to: &Path, content: &[u8]) -> Result<()> {
    let mut file = tempfile::Builder::new()
        // A temporary file is private by default; what is in this one is not.
        .permissions(PermissionsExt::from_mode(0o644))
        .tempfile_in(made_parent(to)?)?;
    file.write_all(content)?;
    file.persist(to)?;
    Ok(())
}

/// Copies a file so that its name never stands for half of it; a file that is the same already
/// is left alone.
pub fn copy_whole(from: &Path, to: &Path) -> Result<()> {
    if fs::read(to).is_ok_and(|there| fs::read(from).is_ok_and(|new| new == there)) {
        return Ok(());
    }
    let temporary = tempfile::NamedTempFile::new_in(made_parent(to)?)?;
    fs::copy(from, temporary.path())?;
    temporary.persist(to)?;
    Ok(())
}

/// Keeps other runs of this tool away from what a step works on, for as long as it is held.
pub struct Lock {
    _file: fs::File,
}

impl Lock {
    /// The first of the directories `name`, `name-2`, `name-3` and so on in `dir` on which no other
    /// run is at work.
    pub fn first_free(dir: &Path, name: &str) -> Result<(Self, PathBuf)> {
        let mut place = dir.join(name);
        let mut number = 1;
        loop {
            fs::create_dir_all(&place)?;
            let file = fs::File::create(place.join(".lock"))?;
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                return Ok((Self { _file: file }, place));
            }
            number += 1;
            place = dir.join(format!("{name}-{number}"));
        }
    }

    /// Waits until no other run holds the lock of this name in `dir`.
    pub fn take(dir: &Path, name: &str) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let file = fs::File::create(dir.join(format!(".lock-{name}")))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            say(format!(
                "waiting for another run that is at work on the {name}"
            ));
            flock(&file, FlockOperation::LockExclusive)?;
        }
        Ok(Self { _file: file })
    }
}

/// Checks that the file system of `dir` has room for `gigabytes` more.
pub fn ensure_space(dir: &Path, gigabytes: u64, what: &str) -> Result<()> {
    fs::create_dir_all(dir)?;
    let stat = rustix::fs::statvfs(dir).help("is the file system mounted?")?;
    let free = (stat.f_bavail * stat.f_frsize) as f64 / (1u64 << 30) as f64;
    if free >= gigabytes as f64 {
        return Ok(());
    }
    let dir = dir.display();
    Err(fault(
        format!("{what} needs {gigabytes} GB, and the file system of {dir} has {free:.1} GB left"),
        "free some space there, or make out/ a link to a place that has it",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_whole_or_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let into = dir.path().join("new");
        let stale = dir.path().join(".lab-new-killed");
        fs::create_dir(&stale).unwrap();
        let failed = whole_dir(&into, |part| {
            fs::write(part.join("half"), "")?;
            anyhow::bail!("disk full")
        });
        assert!(failed.is_err() && !into.exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        whole_dir(&into, |part| Ok(fs::write(part.join("all"), "")?)).unwrap();
        assert!(into.join("all").exists());
    }

    #[test]
    fn what_was_made_with_something_else_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let into = dir.path().join("build");
        let object = into.join("main.o");
        assert!(!made_with(&into, "clang 19").unwrap());
        fs::write(&object, "").unwrap();
        assert!(!made_with(&into, "clang 19").unwrap());
        assert!(object.exists());
        assert!(made_with(&into, "clang 22").unwrap());
        assert!(!object.exists());
        assert!(!made_with(&into, "clang 22").unwrap());
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("new/file");
        for content in ["1", "22"] {
            write_whole(&file, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
        }
        assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 1);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn a_copy_of_the_same_file_leaves_it_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to/to"));
        let inode = |file: &Path| std::os::unix::fs::MetadataExt::ino(&file.metadata().unwrap());
        fs::write(&from, "1").unwrap();
        copy_whole(&from, &to).unwrap();
        let first = inode(&to);
        copy_whole(&from, &to).unwrap();
        assert_eq!(inode(&to), first);
        fs::write(&from, "2").unwrap();
        copy_whole(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "2");
    }

    #[test]
    fn each_run_has_a_directory_for_itself() {
        let dir = tempfile::tempdir().unwrap();
        let free = || Lock::first_free(dir.path(), "boot").unwrap();
        let ((first, one), (_second, two)) = (free(), free());
        assert_eq!(
            (one, two),
            (dir.path().join("boot"), dir.path().join("boot-2"))
        );
        drop(first);
        assert_eq!(free().1, dir.path().join("boot"));
    }

    #[test]
    fn no_file_system_has_that_much_space() {
        let error = ensure_space(Path::new("/tmp"), 1 << 30, "this").unwrap_err();
        assert!(
            error.to_string().starts_with("this needs 1073741824 GB"),
            "{error}"
        );
    }
}
