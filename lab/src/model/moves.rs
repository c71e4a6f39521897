// SPDX-License-Identifier: GPL-2.0

//! The moves of a matrix: its cells by their place.

use std::collections::HashMap;

use anyhow::{Context, Result};

use crate::base::kernel::Handlers;
use crate::model::matrix::{Cell, Fate, Matrix, Refusal, Vm};

pub struct Moves<'a> {
    pub matrix: &'a Matrix,
    pub dumps: Vec<&'a str>,
    pub hosts: Vec<&'a str>,
    /// The hosts' own kernels.
    kernels: Vec<Handlers>,
    /// By dump, then by host.
    cells: Vec<Vec<Pair<'a>>>,
}

/// What became of the same dump in the two kinds of VM.
struct Pair<'a> {
    strict: &'a Cell,
    default: &'a Cell,
}

impl<'a> Moves<'a> {
    /// # Errors
    ///
    /// A matrix that lacks some.
    pub fn new(matrix: &'a Matrix) -> Result<Self> {
        let dumps: Vec<&str> = matrix.dumps.iter().map(|dump| &*dump.name).collect();
        let hosts: Vec<&str> = matrix.hosts.iter().map(|host| &*host.name).collect();
        let cells = matrix.cells.iter();
        let cells: HashMap<_, _> = cells
            .map(|cell| ((cell.vm, &*cell.dump, &*cell.host), cell))
            .collect();

        let find = |vm: Vm, dump: &'a str, host: &'a str| {
            let cell = cells.get(&(vm, dump, host)).copied();
            cell.with_context(|| format!("no cell for {dump} on {host}, {} VM", vm.name()))
        };
        let pair = |dump, host| {
            Ok(Pair {
                strict: find(Vm::Strict, dump, host)?,
                default: find(Vm::Default, dump, host)?,
            })
        };
        let row = |dump: &&'a str| hosts.iter().map(|host| pair(*dump, *host)).collect();
        Ok(Self {
            matrix,
            kernels: matrix.hosts.iter().map(|host| host.kernel).collect(),
            cells: dumps.iter().map(row).collect::<Result<_>>()?,
            dumps,
            hosts,
        })
    }

    pub fn cell(&self, vm: Vm, dump: usize, host: usize) -> &'a Cell {
        let pair = &self.cells[dump][host];
        match vm {
            Vm::Strict => pair.strict,
            Vm::Default => pair.default,
        }
    }

    /// What a VM of this kind is on a host.
    pub fn kind_on(&self, vm: Vm, host: usize) -> Vm {
        vm.on(self.kernels[host])
    }

    pub fn hosts_with(&self, own: Handlers) -> Vec<&'a str> {
        let hosts = self.hosts.iter().zip(&self.kernels);
        let hosts = hosts.filter(|(_, kernel)| **kernel == own);
        hosts.map(|(name, _)| *name).collect()
    }

    pub fn fate(&self, vm: Vm, dump: usize, host: usize) -> Fate {
        self.cell(vm, dump, host).fate()
    }

    /// Whether the two kinds of VM do not fare the same.
    pub fn differ(&self, dump: usize, host: usize) -> bool {
        let Pair { strict, default } = &self.cells[dump][host];
        let fate = |cell: &Cell| {
            let refused = |refusals: &[Refusal]| -> Vec<_> {
                let refusals = refusals.iter();
                let what = refusals.map(|it| (it.id, it.value, it.errno.clone()));
                what.collect()
            };
            (
                cell.accepted,
                cell.back,
                refused(&cell.refusals),
                refused(&cell.refusals_back),
                cell.told_otherwise.clone(),
            )
        };
        fate(strict) != fate(default)
    }

    /// All moves: dump and host.
    pub fn all(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let dumps = 0..self.dumps.len();
        dumps.flat_map(|dump| (0..self.hosts.len()).map(move |host| (dump, host)))
    }

    pub fn count(&self, is_meant: impl Fn(usize, usize) -> bool) -> usize {
        let all = self.all();
        all.filter(|(dump, host)| is_meant(*dump, *host)).count()
    }

    /// The moves that are meant, as lists of names: which dumps move to which hosts. Dumps with the
    /// same hosts are one item.
    pub fn named(&self, is_meant: impl Fn(usize, usize) -> bool) -> Vec<(String, String)> {
        let mut groups: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
        for (dump, source) in self.dumps.iter().enumerate() {
            let hosts = self.hosts.iter().enumerate();
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
        let joined = |names: Vec<&str>| names.join(", ");
        let pairs = groups.into_iter();
        pairs.map(|(from, to)| (joined(from), joined(to))).collect()
    }

    pub fn dump(&self, name: &str) -> Option<usize> {
        self.dumps.iter().position(|dump| *dump == name)
    }

    /// Whether the dump was saved on one of the hosts.
    pub fn is_from_host(&self, dump: usize) -> bool {
        self.hosts.contains(&self.dumps[dump])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::example;

    #[test]
    fn dumps_with_the_same_hosts_are_one_item() {
        let matrix = example().matrix().unwrap();
        let moves = Moves::new(&matrix).unwrap();
        let named = moves.named(|dump, host| (dump == 1) == (host == 1));
        let expected = [("good, field", "good"), ("bad", "bad")];
        assert_eq!(
            named,
            expected.map(|(from, to)| (from.to_owned(), to.to_owned()))
        );
        assert!(moves.named(|_, _| false).is_empty());
    }
}
