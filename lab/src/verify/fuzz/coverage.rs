// SPDX-License-Identifier: GPL-2.0

//! How much of the component's source the corpus reaches.

use std::path::Path;

use anyhow::{Context, Result};
use comfy_table::{presets::NOTHING, CellAlignment, Table};
use fs_err as fs;
use serde::Deserialize;

use super::build;
use crate::base::error::fault;
use crate::base::process::{command, find_program, output};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::get::Llvm;

/// What `llvm-cov export` says.
#[derive(Deserialize)]
struct Export {
    data: Vec<Data>,
}

#[derive(Deserialize)]
struct Data {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    functions: Count,
    lines: Count,
    regions: Count,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
    covered: u64,
}

/// Runs the inputs in a directory, and says which part of each file ran.
pub fn text(project: &Project, llvm: Llvm, inputs: &Path) -> Result<String> {
    let [profdata, cov] = ["llvm-profdata", "llvm-cov"].map(|name| llvm.program(name));
    for program in [&profdata, &cov] {
        find_program(program).ok_or_else(|| {
            fault(
                format!("{program} is not here"),
                "install it: Debian has it in the package llvm, or in that of the version",
            )
        })?;
    }
    let replay = build::replay(project, &["-Cinstrument-coverage"])?;

    let _step = Step::spinner("measuring coverage");
    let raw = project.out("fuzz/coverage.profraw");
    let files = fs::read_dir(inputs)?.map(|entry| Ok(entry?.path().into_os_string()));
    let files = files.collect::<Result<Vec<_>>>()?;
    output(&command(&replay.to_string_lossy(), files).env("LLVM_PROFILE_FILE", &raw))?;

    let data = project.out("fuzz/coverage.profdata");
    let args = [
        "merge".as_ref(),
        "-o".as_ref(),
        data.as_os_str(),
        raw.as_os_str(),
    ];
    output(&command(&profdata, args))?;
    let mut profile = std::ffi::OsString::from("-instr-profile=");
    profile.push(&data);
    let args = [
        "export".as_ref(),
        "-summary-only".as_ref(),
        &*profile,
        replay.as_os_str(),
    ];
    let json = output(&command(&cov, args))?;
    let export: Export = serde_json::from_str(&json).context("llvm-cov")?;
    Ok(table(project, &export))
}

fn table(project: &Project, export: &Export) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_header(["reached by the corpus", "functions", "lines", "regions"]);
    let files = export.data.iter().flat_map(|data| &data.files);
    for file in files {
        // Some are links to the kernel's.
        let Ok(real) = Path::new(&file.filename).canonicalize() else {
            continue;
        };
        let Ok(below) = real.strip_prefix(project.root().join("rust")) else {
            continue;
        };
        let Summary {
            functions,
            lines,
            regions,
        } = &file.summary;
        let mut row = vec![format!("rust/{}", below.display())];
        row.extend([functions, lines, regions].map(Count::text));
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("\n{table}\n")
}

impl Count {
    fn text(&self) -> String {
        format!("{} of {}", self.covered, self.count)
    }
}
