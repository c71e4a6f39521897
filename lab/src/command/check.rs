// SPDX-License-Identifier: GPL-2.0

//! `lab check`: everything that can be verified, in steps that can also be run alone.
//!
//! Steps that need hosts first say which commands they want on which; then each host boots once
//! per kernel for all of them; then each step judges what it finds.

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::base::kernel::Handlers;
use crate::base::project::Project;
use crate::build::{tree, Built};
use crate::get::{self, kernels, Purpose};
use crate::model::results::{Case, Format, Groups, Report};
use crate::verify::boots::{Boots, Plan};
use crate::verify::{
    bench, differential, docs, firmware, format, hosts, id_regs, kunit, loom, migrate, msrv,
    offers, report, rust_vmm, sample, sanitize, selftests, shell, sparse, templates, unit,
    upstream,
};

/// A step of `lab check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Check {
    /// Formatting and kernel style of the sources
    Format,
    /// The patches for the mailing lists
    Series,
    /// The documentation, with Sphinx
    Docs,
    /// The C files of the kernel that we touch, with sparse
    Sparse,
    /// Tests that run on this machine, with Cargo
    Unit,
    /// The component with threads that race, in all orders that a CPU's memory has
    Loom,
    /// The oldest Rust, bindgen and clang that do
    Msrv,
    /// The fleet report, in a browser
    Report,
    /// The hosts' EL3 firmware
    Firmware,
    /// What each host offers, against what lab/data/hosts.toml says
    Hosts,
    /// The component's own tests in the booted kernel
    Kunit,
    /// Our selftests, with both kernels: none fails
    Selftests,
    /// Our selftests in a kernel that looks for mistakes while it runs
    Sanitize,
    /// The kernel's own KVM selftests: the same results with both kernels
    Upstream,
    /// rust-vmm: the tests of its crate kvm-ioctls, and VMs that move through it
    RustVmm,
    /// What guests see of their CPUs, against a kernel of Debian's
    IdRegs,
    /// The same answers to the same vectors from C and to default VMs; to strict ones but for the
    /// deviations listed
    Diff,
    /// The samples: the VMM, and the module that shows what a host offers
    Sample,
    /// CPU templates for Firecracker that the planner makes
    Templates,
    /// Journeys of a running VM of a real VMM, and mishaps on the way
    Migrate,
    /// `lab shell`, with somebody who types
    Shell,
    /// What accesses cost: all in all less than in C, and none more than was recorded
    Bench,
}

/// Runs the steps, all if `only` is empty. Returns whether all is well.
pub fn check(project: &Project, only: &[Check], format: Format) -> Result<bool> {
    let steps = Check::value_variants().iter().copied();
    let steps: Vec<Check> = steps
        .filter(|step| only.is_empty() || only.contains(step))
        .collect();
    let built = prepare(project, &steps)?;

    let mut report = Report::in_format(anstream::stdout(), format);
    let mut plan = Plan::default();
    let mut planned = Vec::new();
    for step in steps {
        // A step that cannot be planned must not take the others with it.
        match step.plan(project, built.as_ref(), &mut plan) {
            Ok(()) => planned.push(step),
            Err(error) => report.suite(&step.name(), failed(&error))?,
        }
    }

    let mut judge = |step: Check, boots: &Boots| {
        let groups = step.judge(project, built.as_ref(), boots);
        let groups = groups.unwrap_or_else(|error| failed(&error));
        report.suite(&step.name(), groups)
    };
    // What needs no host first: it is quick to fail.
    let (with_hosts, without): (Vec<_>, Vec<_>) = planned
        .into_iter()
        .partition(|step| step.needs().0 == Stage::Booted);
    for step in without {
        judge(step, &Boots::default())?;
    }
    let boots = plan.boot(project, &crate::model::hosts::load(project)?)?;
    for step in with_hosts {
        judge(step, &boots)?;
    }
    Ok(report.finish()?.good())
}

/// The result of a step that could not be done.
fn failed(error: &anyhow::Error) -> Groups {
    let case = Case::fail("(error)", format!("{error:#}"));
    vec![(String::new(), vec![case])]
}

/// Makes sure of what the steps stand on, once.
fn prepare(project: &Project, steps: &[Check]) -> Result<Option<Built>> {
    let (stages, purposes): (Vec<_>, Vec<_>) = steps.iter().map(|step| step.needs()).unzip();
    let stage = stages.into_iter().max().unwrap_or(Stage::Sources);
    if stage == Stage::Sources {
        return Ok(None);
    }
    let purposes: Vec<Purpose> = purposes.into_iter().flatten().collect();
    let tools = get::ensure(project, &purposes)?;
    if [Check::Hosts, Check::Templates]
        .iter()
        .any(|step| steps.contains(step))
    {
        kernels::ensure(project, &crate::model::hosts::chosen(project)?)?;
    }
    if stage >= Stage::Built {
        return Built::for_check(project, tools).map(Some);
    }
    tree::ensure(project)?;
    Ok(None)
}

/// How far things must be for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Our sources.
    Sources,
    /// These, the kernel tree, and programs of Debian.
    Tools,
    /// All that hosts boot with.
    Built,
    /// Hosts that have booted.
    Booted,
}

impl Check {
    /// As `--only` has it.
    fn name(self) -> String {
        let value = self.to_possible_value().expect("no step is hidden");
        value.get_name().to_owned()
    }

    /// How far things must be, and for what else it needs programs than to build and boot kernels.
    fn needs(self) -> (Stage, Option<Purpose>) {
        match self {
            Self::Unit | Self::Loom => (Stage::Sources, None),
            Self::Format | Self::Series => (Stage::Tools, Some(Purpose::Style)),
            Self::Docs => (Stage::Tools, Some(Purpose::Docs)),
            Self::Report => (Stage::Tools, Some(Purpose::Report)),
            Self::Sparse => (Stage::Built, Some(Purpose::Sparse)),
            Self::Msrv => (Stage::Built, None),
            _ => (Stage::Booted, None),
        }
    }

    /// Adds what it wants to know of hosts, if it wants any booted by the plan.
    fn plan(self, project: &Project, built: Option<&Built>, plan: &mut Plan) -> Result<()> {
        let built = || built.context("nothing was built");
        match self {
            Self::Firmware => firmware::plan(project, plan),
            Self::Hosts => hosts::plan(project, built()?, plan),
            Self::Kunit => kunit::plan(plan),
            Self::Selftests => selftests::plan(project, plan, &Handlers::ALL),
            Self::Sanitize => sanitize::plan(project, &built()?.tools, plan),
            Self::Upstream => upstream::plan(project, plan),
            Self::RustVmm => rust_vmm::plan(project, built()?, plan),
            Self::IdRegs => id_regs::plan(project, built()?, plan),
            Self::Diff => differential::plan(project, plan),
            Self::Sample => {
                sample::plan(built()?, plan)?;
                offers::plan(project, built()?, plan)
            }
            _ => Ok(()),
        }
    }

    fn judge(self, project: &Project, built: Option<&Built>, boots: &Boots) -> Result<Groups> {
        let tools = || Ok::<_, anyhow::Error>(&built.context("nothing was built")?.tools);
        match self {
            Self::Format => format::run(project),
            Self::Series => crate::series::check::run(project),
            Self::Docs => docs::run(project),
            Self::Sparse => sparse::run(project, tools()?),
            Self::Unit => unit::run(project),
            Self::Loom => loom::run(project),
            Self::Msrv => msrv::run(project),
            Self::Report => report::run(project),
            Self::Firmware => firmware::judge(project, boots),
            Self::Hosts => hosts::judge(project, boots),
            Self::Kunit => kunit::judge(project, boots),
            Self::Selftests => selftests::judge(project, boots, &Handlers::ALL),
            Self::Sanitize => sanitize::judge(project, boots),
            Self::Upstream => upstream::judge(project, boots),
            Self::RustVmm => rust_vmm::judge(boots),
            Self::IdRegs => id_regs::judge(project, boots),
            Self::Diff => differential::judge(project, boots),
            Self::Sample => {
                let mut groups = sample::judge(boots)?;
                groups.extend(offers::judge(project, boots)?);
                Ok(groups)
            }
            Self::Templates => templates::run(project, built.context("nothing was built")?),
            Self::Migrate => migrate::run(project),
            Self::Shell => shell::run(project),
            Self::Bench => bench::check(project, tools()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_named_as_in_the_readme() {
        let readme = include_str!("../../README.md");
        for step in Check::value_variants() {
            let row = format!("\n| `{}` |", step.name());
            assert!(readme.contains(&row), "{row}");
        }
    }
}
