// SPDX-License-Identifier: GPL-2.0

//! Lists of moves that are short enough to read.

/// Which dumps move to which hosts in the moves that are meant, by index; dumps with the same hosts
/// are one item.
pub fn by_targets<'a>(
    dumps: &[&'a str],
    hosts: &[&'a str],
    is_meant: impl Fn(usize, usize) -> bool,
) -> Vec<(Vec<&'a str>, Vec<&'a str>)> {
    let mut groups: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for (dump, source) in dumps.iter().enumerate() {
        let hosts = hosts.iter().enumerate();
        let targets: Vec<&str> = hosts
            .filter(|(host, _)| is_meant(dump, *host))
            .map(|(_, name)| *name)
            .collect();
        if targets.is_empty() {
            continue;
        }
        match groups.iter_mut().find(|(_, found)| *found == targets) {
            Some((sources, _)) => sources.push(source),
            None => groups.push((vec![source], targets)),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumps_with_the_same_hosts_are_one_item() {
        let groups = by_targets(&["a", "b", "c"], &["x", "y"], |dump, host| {
            (dump == 1) == (host == 1)
        });
        assert_eq!(
            groups,
            [(vec!["a", "c"], vec!["x"]), (vec!["b"], vec!["y"])]
        );
        assert!(by_targets(&["a"], &["x"], |_, _| false).is_empty());
    }
}
