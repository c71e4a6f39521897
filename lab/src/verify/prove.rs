// SPDX-License-Identifier: GPL-2.0

//! `lab prove`: the compiled handlers of both kernels, against the specification in `lab/prove/`.
//!
//! The proof itself is in Python, because the symbolic execution (angr) and the solver (z3) are.
//! Here is what it needs: both objects, where the words of a VM are in each kernel, and packages.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use duct::Expression;

use crate::base::disk::{copy_whole, Lock};
use crate::base::process::{command, logged, output};
use crate::base::progress::Step;
use crate::base::project::{Handlers, Project};
use crate::build::kernel::make::Kbuild;
use crate::build::{kernel, tree};
use crate::get::{self, venv, Toolchain};

/// The page that has the specification's tables.
const PAGE: &str = "Documentation/virt/kvm/arm/fw-pseudo-registers-acceptance.rst";

#[derive(Args)]
pub struct Prove {
    /// Only write the tables of the acceptance page anew, from lab/prove/spec.toml
    #[arg(long)]
    docs: bool,
    /// How many mistakes to put into the object, to see that they are found; -1 for all
    #[arg(
        long,
        value_name = "N",
        default_value_t = 12,
        allow_negative_numbers = true
    )]
    mutants: i32,
}

/// Proves what can be proven, and prints it. `false` if something is otherwise.
pub fn run(project: &Project, prove: &Prove) -> Result<bool> {
    if prove.docs {
        print!("{}", output(&page(project, "--write"))?);
        return Ok(true);
    }
    output(&page(project, "--check"))?;
    let tools = get::ensure(project, &[])?;
    kernel::ensure(project, &tools, &tree::ensure(project)?)?;
    let python = venv::ensure(project, "prove", &dir(project).join("requirements.txt"))?;
    output(&unit_tests(project, &python))?;

    let mut args: Vec<OsString> = ["-m", "fwprove", "prove"].map(Into::into).into();
    let mut option = |name: String, value: &Path| args.extend([name.into(), value.into()]);
    for handlers in Handlers::ALL {
        let name = handlers.name();
        option(format!("--{name}"), &object(project, handlers));
        option(
            format!("--{name}-layout"),
            &layout(project, &tools, handlers)?,
        );
    }
    option("--linker".into(), Path::new(&tools.llvm.program("ld.lld")));
    option("--json".into(), &project.base().join("prove.json"));
    args.push(format!("--mutants={}", prove.mutants).into());

    let proof = with_package(project, command(&python.to_string_lossy(), args));
    let ended = proof.stdin_null().unchecked().run()?;
    Ok(ended.status.success())
}

/// Whether the page has the tables that the specification makes, or the command that says why not.
pub fn page(project: &Project, what: &str) -> Expression {
    let page = project.root().join(PAGE);
    let args: [OsString; 5] = [
        "-m".into(),
        "fwprove".into(),
        "docs".into(),
        what.into(),
        page.into(),
    ];
    with_package(project, command("python3", args))
}

/// The tests of the proof's own parts.
fn unit_tests(project: &Project, python: &Path) -> Expression {
    let args = ["-m", "unittest", "discover", "--top-level-directory"].map(OsString::from);
    let dir = dir(project);
    let places = [dir.clone().into(), dir.join("tests").into()];
    let program = python.to_string_lossy();
    with_package(project, command(&program, args.into_iter().chain(places)))
}

fn dir(project: &Project) -> PathBuf {
    project.root().join("lab/prove")
}

fn with_package(project: &Project, python: Expression) -> Expression {
    python
        .env("PYTHONPATH", dir(project))
        // Nothing is built in the sources.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1")
}

/// The compiled handlers.
fn object(project: &Project, handlers: Handlers) -> PathBuf {
    let kvm = project.build_dir(handlers).join("arch/arm64/kvm");
    match handlers {
        Handlers::Rust => kvm.join("fw_regs/fw_regs.o"),
        Handlers::C => kvm.join("fw_regs.o"),
    }
}

/// The numbers of a kernel, in an object that Kbuild compiles as that kernel's own.
fn layout(project: &Project, tools: &Toolchain, handlers: Handlers) -> Result<PathBuf> {
    let _lock = Lock::take(&project.base(), "proof")?;
    let place = project.base().join("prove").join(handlers.name());
    for file in ["Kbuild", "layout.c"] {
        copy_whole(&dir(project).join("layout").join(file), &place.join(file))?;
    }
    let kbuild = Kbuild::new(&project.tree(), &project.build_dir(handlers), tools);
    let module = format!("M={}", place.display());
    let step = Step::spinner("compiling the layout");
    logged(
        "compiling the layout",
        &kbuild.make(&[&module, "layout.o"]),
        &project.log(&format!("prove-layout-{}", handlers.name())),
        |_| {},
    )?;
    drop(step);
    Ok(place.join("layout.o"))
}
