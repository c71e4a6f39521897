// SPDX-License-Identifier: GPL-2.0

//! The oldest tools that do: this tool, `kernel::kvm` and the component are built with them, in a
//! bare root of the suite of Debian that has them.

use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;

use crate::base::disk::{ensure_space, is_made_with, note_made_with};
use crate::base::process::{command, find_program, logged, output};
use crate::base::progress::{say, Step};
use crate::base::project::{Handlers, Project};
use crate::base::version::Version;
use crate::build::kernel::make::Warnings;
use crate::build::kernel::{config, refuse_warnings};
use crate::get::packages::{Oldest, Packages};
use crate::get::{mirror, want};
use crate::model::results::Case;
use crate::model::results::Groups;

/// What the root takes on the disk, in GB.
const SPACE: u64 = 2;

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
    let (minimum, is) = (packages.minimum.rustc, Version::find(&rustc));
    let cases = if is.map(Version::series) == Some(minimum.series()) {
        // All else that this command builds is built with it.
        vec![Case::pass(rustc.trim())]
    } else if let Some(reason) = missing() {
        vec![Case::skip("root", reason)]
    } else {
        in_root(project, &packages.oldest)?
    };
    Ok(vec![(String::new(), cases)])
}

/// Why no root can be made here.
fn missing() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        Some("a root of another suite needs root: run `sudo make check`")
    } else if find_program("apt-get").is_none() {
        Some("a root of a suite of Debian needs apt")
    } else {
        None
    }
}

fn in_root(project: &Project, oldest: &Oldest) -> Result<Vec<Case>> {
    want(project, "mmdebstrap")?;
    let root = make_root(project, oldest)?;
    let inside = |what: &str, args: &[&str], each: &mut dyn FnMut(&str)| {
        let _step = Step::spinner(format!("{what}, with the oldest tools"));
        let places = [project.root().to_path_buf(), project.out(""), cargo_home()];
        let mut all = vec!["--mount", "sh", "-eu", "-c", INSIDE, "inside"];
        let places = places.map(|place| place.to_string_lossy().into_owned());
        let root = root.to_string_lossy();
        all.push(&root);
        all.extend(places.iter().map(String::as_str));
        all.push("--");
        all.extend(args);
        let log = project.log(&format!("msrv-{what}"));
        logged(what, &command("unshare", all), &log, each)
    };

    let manifest = project.root().join("lab/Cargo.toml");
    let manifest = manifest.to_string_lossy();
    // The root needs no way to the registry.
    let fetch = ["fetch", "--locked", "--manifest-path", &manifest];
    output(&command("cargo", fetch))?;
    let (home, target) = (cargo_home(), project.out("cargo/msrv"));
    let [home, target] = [("CARGO_HOME", &home), ("CARGO_TARGET_DIR", &target)]
        .map(|(name, place)| format!("{name}={}", place.display()));
    let cargo = [
        "check",
        "--workspace",
        "--lib",
        "--bins",
        "--tests",
        "--locked",
        "--offline",
    ];
    let cargo = [
        &[&*home, &*target, "cargo"],
        &cargo[..],
        &["--manifest-path", &manifest],
    ]
    .concat();
    let lab = inside("lab", &cargo, &mut |_| ());

    let build_dir = project.base().join("build/msrv");
    let fragment = project.base().join("build/msrv.config");
    fs::create_dir_all(&build_dir)?;
    fs::write(&fragment, config::fragment(project, Handlers::Rust)?)?;
    let tree = project.tree();
    let places = [&tree, &build_dir, &fragment].map(|place| place.to_string_lossy());
    let [tree, build_dir, fragment] = &places;
    let mut warnings = Warnings::new(project)?;
    let kernel = inside(
        "kernel",
        &[
            "sh", "-eu", "-c", KERNEL, "kernel", tree, build_dir, fragment,
        ],
        &mut |line| warnings.read(line),
    );
    let kernel = kernel.and_then(|()| refuse_warnings(&project.tree(), warnings));
    Ok(vec![
        Case::from_result("lab", lab),
        Case::from_result("kernel", kernel),
    ])
}

/// A root with the oldest tools.
fn make_root(project: &Project, oldest: &Oldest) -> Result<PathBuf> {
    let root = project.out("cache").join(format!("root-{}", oldest.suite));
    let made_from = format!("{} {}", oldest.suite, oldest.packages.join(","));
    if is_made_with(&root, &made_from) {
        return Ok(root);
    }
    ensure_space(&project.out(""), SPACE, "a root with the oldest tools")?;
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    let step = Step::spinner(format!("making a root of {}", oldest.suite));
    let include = format!("--include={}", oldest.packages.join(","));
    let place = root.to_string_lossy();
    let mirror = mirror(project)?;
    let args = [
        "--variant=essential",
        &include,
        &oldest.suite,
        &place,
        &mirror,
    ];
    logged(
        "making the root",
        &command("mmdebstrap", args),
        &project.log("msrv-root"),
        |line| step.message(line.trim().to_owned()),
    )?;
    note_made_with(&root, &made_from)?;
    drop(step);
    say(format!(
        "made a root of {} for the oldest tools",
        oldest.suite
    ));
    Ok(root)
}

fn cargo_home() -> PathBuf {
    let home = std::env::var_os("HOME").unwrap_or_default();
    std::env::var_os("CARGO_HOME").map_or_else(|| Path::new(&home).join(".cargo"), PathBuf::from)
}
