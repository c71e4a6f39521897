// SPDX-License-Identifier: GPL-2.0

//! The oldest tools that do: this tool, `kernel::kvm` and the component are built with them, in a
//! bare root of the suite of Debian that has them.

use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;

use crate::base::disk::{ensure_space, is_made_with, note_made_with, whole_dir, Lock};
use crate::base::kernel::Handlers;
use crate::base::process::{command, find_program, logged, output};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::base::version::Version;
use crate::build::kernel::make::Warnings;
use crate::build::kernel::{config, refuse_warnings};
use crate::get::packages::{Oldest, Packages};
use crate::get::{mirror, want};
use crate::model::results::{Case, Groups};

/// What the root takes on the disk, in GB.
const SPACE: u64 = 2;

/// Runs a command that ends, with all that it has started, when this tool does. SIGTERM does not end
/// `unshare`.
const CONTAINED: [&str; 7] = [
    "--pdeathsig",
    "KILL",
    "unshare",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
];

/// Runs a command in the root `$1`, where the directories before `--` are what they are here.
const INSIDE: &str = r#"
root=$1
shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
	mkdir -p "$root$1"
	mount --rbind "$1" "$root$1"
	shift
done
shift
exec chroot "$root" env -i HOME=/root PATH=/usr/bin:/bin "$@"
"#;

/// Checks the workspace `$1` in the target directory `$2`, with what Cargo has in `$3`.
const LAB: &str = r#"
export CARGO_HOME="$3"
cargo check --workspace --lib --bins --tests --locked --offline \
	--manifest-path "$1" --target-dir "$2"
"#;

/// Configures the build directory `$2` of the tree `$1` with the fragment `$3`, and builds what is
/// written in Rust.
const KERNEL: &str = r#"
tree=$1 build=$2 fragment=$3
kbuild() { make -s -j"$(nproc)" -C "$tree" O="$build" ARCH=arm64 LLVM=1 "$@"; }
kbuild tinyconfig
cat "$fragment" >>"$build/.config"
kbuild olddefconfig
grep -x CONFIG_KVM_ARM_FW_REGS_RUST=y "$build/.config"
kbuild rust/kernel.o arch/arm64/kvm/fw_regs/ samples/rust/
"#;

pub fn run(project: &Project) -> Result<Groups> {
    let packages = Packages::load(project)?;
    let rustc = output(&command("rustc", ["--version"]))?;
    let minimum = packages.minimum.rustc.series();
    let cases = if Version::find(&rustc).map(Version::series) == Some(minimum) {
        // All else that this command builds is built with it.
        vec![Case::pass(rustc.trim())]
    } else if !rustix::process::geteuid().is_root() {
        let reason = "a root of another suite needs root: run `sudo make check`";
        vec![Case::skip("root", reason)]
    } else if find_program("apt-get").is_none() {
        vec![Case::skip("root", "a root of a suite of Debian needs apt")]
    } else {
        in_root(project, &packages.oldest)?
    };
    Ok(vec![(String::new(), cases)])
}

fn in_root(project: &Project, oldest: &Oldest) -> Result<Vec<Case>> {
    want(project, "mmdebstrap")?;
    let _lock = Lock::take(&project.out("cache"), "oldest-tools")?;
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let root = text(make_root(project, oldest)?);
    let home = std::env::var_os("HOME").unwrap_or_default();
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.unwrap_or_else(|| Path::new(&home).join(".cargo"));
    let [checkout, out, cargo] = [project.root().into(), project.out(""), cargo].map(text);
    let inside = |what: &str, script: &str, args: [&str; 3], each: &mut dyn FnMut(&str)| {
        let _step = Step::spinner(format!("{what}, with the oldest tools"));
        let inside = ["sh", "-eu", "-c", INSIDE, "inside"];
        let places = [&*root, &checkout, &out, &cargo, "--"];
        let script = ["sh", "-eu", "-c", script, what];
        let all = [&CONTAINED[..], &inside, &places, &script, &args].concat();
        let log = project.log(&format!("msrv-{what}"));
        logged(what, &command("setpriv", all), &log, each)
    };

    let manifest = format!("{checkout}/lab/Cargo.toml");
    // The root needs no way to the registry.
    let fetch = ["fetch", "--locked", "--manifest-path", &manifest];
    output(&command("cargo", fetch))?;
    let target = text(project.out("cargo/msrv"));
    let lab = inside("lab", LAB, [&manifest, &target, &cargo], &mut |_| ());

    let build_dir = project.base().join("build/msrv");
    let fragment = project.base().join("build/msrv.config");
    fs::create_dir_all(&build_dir)?;
    fs::write(&fragment, config::fragment(project, Handlers::Rust)?)?;
    let [tree, build_dir, fragment] = [project.tree(), build_dir, fragment].map(text);
    let mut warnings = Warnings::new(project)?;
    let args = [&*tree, &*build_dir, &*fragment];
    let kernel = inside("kernel", KERNEL, args, &mut |line| warnings.read(line));
    let kernel = kernel.and_then(|()| refuse_warnings(&project.tree(), warnings));
    Ok(vec![
        Case::from_result("lab", lab),
        Case::from_result("kernel", kernel),
    ])
}

/// A root with the oldest tools.
fn make_root(project: &Project, oldest: &Oldest) -> Result<PathBuf> {
    let Oldest { suite, packages } = oldest;
    let packages = packages.join(",");
    let root = project.out("cache").join(format!("root-{suite}"));
    let made_from = format!("{suite} {packages}");
    if is_made_with(&root, &made_from) {
        return Ok(root);
    }
    ensure_space(&project.out(""), SPACE, "a root with the oldest tools")?;
    let step = Step::spinner(format!("making a root of {suite}"));
    let (include, mirror) = (format!("--include={packages}"), mirror(project)?);
    whole_dir(&root, |dir| {
        let dir_text = dir.to_string_lossy();
        let args = ["--variant=essential", &include, suite, &dir_text, &mirror];
        let (make, log) = (command("mmdebstrap", args), project.log("msrv-root"));
        logged("making the root", &make, &log, |line| {
            step.message(line.trim());
        })?;
        note_made_with(dir, &made_from)
    })?;
    step.done(format!("made a root of {suite} for the oldest tools"));
    Ok(root)
}
