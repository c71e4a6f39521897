// SPDX-License-Identifier: GPL-2.0

//! `lab prove`: the compiled handlers of both kernels, against the specification in `lab/prove/`.
//!
//! The proof itself is in Python, because the symbolic execution (angr) and the solver (z3) are.
//! Here is what it needs: both objects, where the words of a VM are in each kernel, and packages.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use duct::Expression;

use crate::base::disk::{copy_whole, Lock};
use crate::base::kernel::Handlers;
use crate::base::process::{command, logged, output};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::build::kernel::make::Kbuild;
use crate::build::{kernel, tree};
use crate::get::{self, venv, Toolchain};
use crate::model::results::Case;

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

/// Proves what can be proven, and prints it. `false` if something else is found.
pub fn run(project: &Project, prove: &Prove) -> Result<bool> {
    if prove.docs {
        print!("{}", output(&page(project, "--write"))?);
        return Ok(true);
    }
    output(&page(project, "--check"))?;
    let tools = get::ensure(project, &[])?;
    kernel::ensure(project, &tools, &tree::ensure(project)?)?;
    let python = venv::ensure(project, "prove", &dir(project).join("requirements.txt"))?;
    let python = python.to_string_lossy();
    output(&unit_tests(project, &python))?;

    let mut args = vec!["-m".to_owned(), "fwprove".to_owned(), "prove".to_owned()];
    for handlers in Handlers::ALL {
        let name = handlers.name();
        let layout = layout(project, &tools, handlers)?;
        args.push(format!("--{name}={}", object(project, handlers).display()));
        args.push(format!("--{name}-layout={}", layout.display()));
    }
    args.push(format!("--linker={}", tools.llvm.program("ld.lld")));
    let json = project.base().join("prove.json");
    args.push(format!("--json={}", json.display()));
    args.push(format!("--mutants={}", prove.mutants));

    let proof = with_package(project, command(&python, args));
    let ended = proof.stdin_null().unchecked().run()?;
    Ok(ended.status.success())
}

/// Whether the page has the tables that the specification makes, or the command that says why not.
pub fn page(project: &Project, what: &str) -> Expression {
    let page = project.root().join(PAGE);
    let args = ["-m", "fwprove", "docs", what, &page.to_string_lossy()];
    with_package(project, command("python3", args))
}

/// The tests of the proof's own parts, as far as they need none of its packages.
pub fn tests(project: &Project) -> (String, Vec<Case>) {
    let ran = get::want(project, "python3").and_then(|()| output(&unit_tests(project, "python3")));
    let case = Case::from_result("unittest", ran.map(drop));
    ("lab/prove".to_owned(), vec![case])
}

/// The tests of the proof's own parts; those that this Python lacks packages for are skipped.
fn unit_tests(project: &Project, python: &str) -> Expression {
    let unittest = command(python, ["-m", "unittest", "discover", "-t", ".", "tests"]);
    with_package(project, unittest.dir(dir(project)))
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
    let object = match handlers {
        Handlers::Rust => "fw_regs/fw_regs.o",
        Handlers::C => "fw_regs.o",
    };
    let kvm = project.build_dir(handlers).join("arch/arm64/kvm");
    kvm.join(object)
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
    let make = kbuild.make(&[&module, "layout.o"]);
    let log = project.log(&format!("prove-layout-{}", handlers.name()));
    let _step = Step::spinner("compiling the layout");
    logged("compiling the layout", &make, &log, |_| ())?;
    Ok(place.join("layout.o"))
}
