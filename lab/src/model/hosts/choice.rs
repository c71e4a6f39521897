// SPDX-License-Identifier: GPL-2.0

//! Which of the hosts are booted for what.

use anyhow::Result;

use super::{find, load, Host};
use crate::base::error::fault;
use crate::base::kernel::{Handlers, Kernel};
use crate::base::project::Project;

/// Those of them that were asked for.
pub fn chosen(project: &Project) -> Result<Vec<Host>> {
    let mut hosts = load(project)?;
    for name in project.hosts() {
        find(&hosts, name)?;
    }
    hosts.retain(|host| project.hosts().is_empty() || project.hosts().contains(&host.name));
    Ok(hosts)
}

/// Those of them whose kernels are there: a mirror of Debian may not have all.
pub fn bootable(project: &Project) -> Result<Vec<Host>> {
    let mut hosts = chosen(project)?;
    hosts.retain(|host| match host.kernel {
        Kernel::Ours(_) | Kernel::Variant(_) => true,
        Kernel::Debian(_) => project.image(host.kernel).exists(),
    });
    Ok(hosts)
}

/// Those of them between which VMs move; maybe none.
pub fn in_fleet(project: &Project) -> Result<Vec<Host>> {
    let mut hosts = bootable(project)?;
    hosts.retain(|host| host.fleet);
    Ok(hosts)
}

/// The same, where nothing would be found out without any.
///
/// # Errors
///
/// There are none.
pub fn fleet(project: &Project) -> Result<Vec<Host>> {
    some(in_fleet(project)?, project, "in the fleet")
}

/// Those without our kernel with the handlers in C alone: it is booted on every host anyway.
///
/// # Errors
///
/// There are none.
pub fn of_run(project: &Project) -> Result<Vec<Host>> {
    let mut hosts = fleet(project)?;
    hosts.retain(|host| host.kernel != Handlers::C.into());
    some(hosts, project, "one of `make run`")
}

fn some(hosts: Vec<Host>, project: &Project, what: &str) -> Result<Vec<Host>> {
    if hosts.is_empty() {
        return Err(fault(
            format!(
                "HOSTS={}: none of them is {what}",
                project.hosts().join(",")
            ),
            "name hosts of lab/data/hosts.toml without `fleet = false`, whose kernel the mirror \
             has; `make run` leaves those with `kernel = \"c\"` to `make matrix`",
        ));
    }
    Ok(hosts)
}

/// Those on which all that compares the two kernels is done.
fn with_both_kernels(project: &Project) -> Result<Vec<Host>> {
    let mut hosts = chosen(project)?;
    hosts.retain(Host::has_both_kernels);
    Ok(hosts)
}

/// Those of them on which the selftests and the differential run are.
pub fn with_selftests(project: &Project) -> Result<Vec<Host>> {
    let mut hosts = with_both_kernels(project)?;
    hosts.retain(|host| host.selftests);
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::render;

    #[test]
    fn a_choice_of_no_host_is_an_error() {
        let project = |names: &[&str]| {
            let names = names.iter().map(|name| String::from(*name));
            Project::here().with_hosts(names.collect())
        };
        let names = |hosts: Result<Vec<Host>>| {
            hosts.map(|hosts| Vec::from_iter(hosts.into_iter().map(|host| host.name)))
        };
        let some = project(&["n1", "two", "a53-c"]);
        assert_eq!(names(fleet(&some)).unwrap(), ["n1", "a53-c"]);
        assert_eq!(names(of_run(&some)).unwrap(), ["n1"]);

        let error = names(fleet(&project(&["two", "el1"]))).unwrap_err();
        let text = render(&error);
        assert!(
            text.starts_with(
                "error: HOSTS=two,el1: none of them is in the fleet\nhelp: name hosts"
            ),
            "{text}"
        );
        assert!(of_run(&project(&["a53-c"])).is_err() && fleet(&project(&["a53-c"])).is_ok());
        assert!(chosen(&project(&["none"])).is_err());
    }
}
