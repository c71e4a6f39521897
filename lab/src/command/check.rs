// SPDX-License-Identifier: GPL-2.0

//! `lab check`: everything that can be verified, in steps that can also be run alone.
//!
//! Steps that need hosts first say which commands they want on which; then each host boots once
//! per kernel for all of them; then each step judges what it finds.

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::base::project::Project;
use crate::build::{tree, Built};
use crate::get::{self, Purpose, Toolchain};
use crate::model::results::{Case, Format, Groups, Report, Totals};
use crate::verify::boots::{Boots, Plan};
use crate::verify::{
    bench, differential, docs, firmware, format, hosts, kunit, msrv, offers, report, sample,
    selftests, shell, sparse, unit, upstream,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Step {
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
    /// The kernel's own KVM selftests: the same results with both kernels
    Upstream,
    /// The same answers to the same vectors from C and to default VMs; to strict ones but for the
    /// deviations listed
    Diff,
    /// The samples: the VMM, and the module that shows what a host offers
    Sample,
    /// `lab shell`, with somebody who types
    Shell,
    /// What accesses cost: all in all less than in C, and none more than was recorded
    Bench,
}

/// Runs the steps, all if `only` is empty. Returns whether all is well.
pub fn check(project: &Project, only: &[Step], format: Format) -> Result<bool> {
    let steps: Vec<Step> = Step::value_variants()
        .iter()
        .copied()
        .filter(|step| only.is_empty() || only.contains(step))
        .collect();
    let ready = Ready::for_steps(project, &steps)?;

    let mut report = Report::in_format(anstream::stdout(), format);
    let mut plan = Plan::default();
    let mut planned = Vec::new();
    for step in steps {
        // A step that cannot be planned must not take the others with it.
        match step.plan(project, &ready, &mut plan) {
            Ok(()) => planned.push(step),
            Err(error) => report.suite(step.name(), trouble(&error))?,
        }
    }

    // What needs no host first: it is quick to fail.
    let (with_hosts, without): (Vec<_>, Vec<_>) = planned
        .into_iter()
        .partition(|step| step.needs() == Stage::Booted);
    let none = Boots::default();
    for step in without {
        judge(&mut report, project, &ready, step, &none)?;
    }
    let boots = plan.boot(project, &crate::model::hosts::load(project)?)?;
    for step in with_hosts {
        judge(&mut report, project, &ready, step, &boots)?;
    }

    let totals: Totals = report.finish()?;
    Ok(totals.good())
}

fn judge<W: std::io::Write>(
    report: &mut Report<W>,
    project: &Project,
    ready: &Ready,
    step: Step,
    boots: &Boots,
) -> Result<()> {
    let groups = step
        .judge(project, ready, boots)
        .unwrap_or_else(|error| trouble(&error));
    report.suite(step.name(), groups)
}

fn trouble(error: &anyhow::Error) -> Groups {
    let case = Case::fail("(trouble)", format!("{error:#}"));
    vec![(String::new(), vec![case])]
}

/// What the steps stand on, each made sure of once.
#[derive(Default)]
struct Ready {
    tools: Option<Toolchain>,
    built: Option<Built>,
}

impl Ready {
    fn for_steps(project: &Project, steps: &[Step]) -> Result<Self> {
        let purposes: Vec<Purpose> = steps.iter().filter_map(|step| step.purpose()).collect();
        let needs = |stage| steps.iter().any(|step| step.needs() >= stage);
        if !needs(Stage::Tree) {
            return Ok(Self::default());
        }
        if !needs(Stage::Tools) {
            tree::ensure(project)?;
            return Ok(Self::default());
        }
        let tools = get::ensure(project, &purposes)?;
        if needs(Stage::Built) {
            let built = Built::for_check(project, tools)?;
            return Ok(Self {
                tools: None,
                built: Some(built),
            });
        }
        tree::ensure(project)?;
        Ok(Self {
            tools: Some(tools),
            built: None,
        })
    }

    fn built(&self) -> Result<&Built> {
        self.built.as_ref().context("nothing was built")
    }

    fn tools(&self) -> Result<&Toolchain> {
        let tools = self.built.as_ref().map(|built| &built.tools);
        let tools = tools.or(self.tools.as_ref());
        tools.context("there are no tools")
    }
}

/// How far things must be for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Our sources.
    Sources,
    /// The kernel tree.
    Tree,
    /// This, and programs of Debian.
    Tools,
    /// All that hosts boot with.
    Built,
    /// Hosts that have booted.
    Booted,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Format => "format",
            Step::Series => "series",
            Step::Docs => "docs",
            Step::Sparse => "sparse",
            Step::Unit => "unit",
            Step::Msrv => "msrv",
            Step::Report => "report",
            Step::Firmware => "firmware",
            Step::Hosts => "hosts",
            Step::Kunit => "kunit",
            Step::Selftests => "selftests",
            Step::Upstream => "upstream",
            Step::Diff => "diff",
            Step::Sample => "sample",
            Step::Shell => "shell",
            Step::Bench => "bench",
        }
    }

    fn needs(self) -> Stage {
        match self {
            Step::Unit => Stage::Sources,
            Step::Format | Step::Series | Step::Docs | Step::Report => Stage::Tools,
            Step::Sparse | Step::Msrv => Stage::Built,
            Step::Firmware
            | Step::Hosts
            | Step::Kunit
            | Step::Selftests
            | Step::Upstream
            | Step::Diff
            | Step::Sample
            | Step::Shell
            | Step::Bench => Stage::Booted,
        }
    }

    /// For what it needs programs besides those that build and boot kernels.
    fn purpose(self) -> Option<Purpose> {
        match self {
            Step::Format | Step::Series => Some(Purpose::Style),
            Step::Docs => Some(Purpose::Docs),
            Step::Sparse => Some(Purpose::Sparse),
            Step::Report => Some(Purpose::Report),
            Step::Unit
            | Step::Msrv
            | Step::Firmware
            | Step::Hosts
            | Step::Kunit
            | Step::Selftests
            | Step::Upstream
            | Step::Diff
            | Step::Sample
            | Step::Shell
            | Step::Bench => None,
        }
    }

    fn plan(self, project: &Project, ready: &Ready, plan: &mut Plan) -> Result<()> {
        match self {
            Step::Format
            | Step::Series
            | Step::Docs
            | Step::Sparse
            | Step::Unit
            | Step::Msrv
            | Step::Report
            | Step::Shell
            | Step::Bench => Ok(()),
            Step::Firmware => firmware::plan(project, plan),
            Step::Hosts => hosts::plan(project, ready.built()?, plan),
            Step::Kunit => kunit::plan(plan),
            Step::Selftests => selftests::plan(project, plan),
            Step::Upstream => upstream::plan(project, plan),
            Step::Diff => differential::plan(project, plan),
            Step::Sample => {
                sample::plan(ready.built()?, plan)?;
                offers::plan(project, ready.built()?, plan)
            }
        }
    }

    fn judge(self, project: &Project, ready: &Ready, boots: &Boots) -> Result<Groups> {
        match self {
            Step::Format => format::run(project),
            Step::Series => crate::series::check::run(project),
            Step::Docs => docs::run(project),
            Step::Sparse => sparse::run(project, ready.tools()?),
            Step::Unit => unit::run(project),
            Step::Msrv => msrv::run(project),
            Step::Report => report::run(project),
            Step::Firmware => firmware::judge(project, boots),
            Step::Hosts => hosts::judge(project, boots),
            Step::Kunit => kunit::judge(project, boots),
            Step::Selftests => selftests::judge(project, boots),
            Step::Upstream => upstream::judge(project, boots),
            Step::Diff => differential::judge(project, boots),
            Step::Sample => {
                let mut groups = sample::judge(boots)?;
                groups.extend(offers::judge(project, boots)?);
                Ok(groups)
            }
            Step::Shell => shell::run(project),
            Step::Bench => bench::check(project, ready.tools()?),
        }
    }
}
