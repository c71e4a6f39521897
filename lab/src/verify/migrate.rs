// SPDX-License-Identifier: GPL-2.0

//! Journeys of a running VM, one of each kind; and mishaps, each of which must be noticed.

use anyhow::Result;

use crate::ask::migrate;
use crate::base::project::Project;
use crate::judge::travels;
use crate::model::journeys;
use crate::model::results::Groups;

pub fn run(project: &Project) -> Result<Groups> {
    let mut journeys = journeys::load(project)?;
    journeys.retain(|journey| journey.check || journey.mishap);
    let travels = migrate::travel(project, journeys)?;
    let groups = travels.iter().map(|travel| {
        let name = travel.journey.name.clone();
        (name, travels::cases(travel))
    });
    Ok(groups.collect())
}
