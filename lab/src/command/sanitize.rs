// SPDX-License-Identifier: GPL-2.0

//! `lab sanitize`: boots kernels that look for mistakes while they run.

use anyhow::Result;
use clap::Args;

use crate::base::kernel::Variant;
use crate::base::project::Project;
use crate::build::Built;
use crate::get;
use crate::model::results::{Format, Report};
use crate::verify;

#[derive(Args)]
pub struct Sanitize {
    /// Only these kernels
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Variant>,
    /// How long threads race on each host
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// One JSON object for each case, instead of text
    #[arg(long)]
    json: bool,
}

/// Returns whether all is well.
pub fn run(project: &Project, sanitize: &Sanitize) -> Result<bool> {
    let built = Built::for_check(project, get::ensure(project, &[])?)?;
    let groups = verify::sanitize::run(project, &built, &sanitize.only, sanitize.seconds)?;
    let format = if sanitize.json {
        Format::Json
    } else {
        Format::Text
    };
    let mut report = Report::in_format(anstream::stdout(), format);
    report.suite("sanitize", groups)?;
    Ok(report.finish()?.good())
}
