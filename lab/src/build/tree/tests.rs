// SPDX-License-Identifier: GPL-2.0

//! A patched tree, in which somebody edits files.

use super::*;

/// A tree of two files of the kernel, one of which is edited to `ours`.
struct Tree {
    dir: tempfile::TempDir,
    repo: Repo,
    pristine: String,
}

impl Tree {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo::init(dir.path()).unwrap();
        fs::write(dir.path().join("theirs"), "1\n").unwrap();
        fs::write(dir.path().join("edited"), "1\n").unwrap();
        let tree = repo.snapshot(&[], &["-A"]).unwrap();
        let pristine = keep_pristine(&repo, &tree, "a test").unwrap();
        set_head(&repo, &pristine).unwrap();
        let tree = Self {
            dir,
            repo,
            pristine,
        };
        tree.apply("2\n").unwrap();
        tree
    }

    fn apply(&self, ours: &str) -> Result<()> {
        let over = tempfile::tempdir()?;
        fs::write(over.path().join("edited"), ours)?;
        let paths = ["edited".to_owned()];
        let patched = self
            .repo
            .lay_over(&self.pristine, over.path(), paths.iter())?;
        apply(self.dir.path(), &self.repo, &self.pristine, &patched)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.dir.path().join(file), text).unwrap();
    }

    fn texts(&self) -> [String; 2] {
        ["theirs", "edited"].map(|file| fs::read_to_string(self.dir.path().join(file)).unwrap())
    }
}

#[test]
fn the_tree_follows_our_files() {
    let tree = Tree::new();
    assert_eq!(tree.texts(), ["1\n", "2\n"]);
    tree.apply("3\n").unwrap();
    assert_eq!(tree.texts(), ["1\n", "3\n"]);
    assert_eq!(tree.repo.find(BEFORE).as_ref(), Some(&tree.pristine));
}

#[test]
fn local_edits_are_kept() {
    let tree = Tree::new();
    tree.write("theirs", "local\n");
    tree.write("new", "local\n");
    tree.apply("2\n").unwrap();
    tree.apply("3\n").unwrap();
    assert_eq!(tree.texts(), ["local\n", "3\n"]);
    tree.write("edited", "local\n");
    tree.apply("3\n").unwrap();
    assert_eq!(tree.texts(), ["local\n", "local\n"]);
    assert!(tree.dir.path().join("new").exists());
}

#[test]
fn nothing_is_changed_where_a_local_edit_would_be_lost() {
    let tree = Tree::new();
    let applied = tree.repo.find(APPLIED);
    tree.write("edited", "local\n");
    let error = tree.apply("3\n").unwrap_err();
    assert!(
        error.to_string().starts_with("cannot change the files"),
        "{error}"
    );
    assert_eq!(tree.texts(), ["1\n", "local\n"]);
    assert_eq!(tree.repo.find(APPLIED), applied);
}

#[test]
fn local_commits_are_kept() {
    let tree = Tree::new();
    tree.write("theirs", "local\n");
    tree.repo
        .run(["commit", "-q", "-a", "-m", "local"])
        .unwrap();
    let head = tree.repo.find("HEAD");
    let error = tree.apply("3\n").unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("commits that are not of this tool"),
        "{error}"
    );
    assert_eq!(tree.repo.find("HEAD"), head);
    assert_eq!(tree.texts(), ["local\n", "2\n"]);
}
