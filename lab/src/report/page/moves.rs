// SPDX-License-Identifier: GPL-2.0

//! The cells of a matrix by their place.

use std::collections::HashMap;

use anyhow::{Context, Result};

use super::state::State;
use crate::base::project::Handlers;
use crate::model::fleet::matrix::{Cell, Matrix, Vm};
use crate::model::groups;

pub struct Moves<'a> {
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
        let hosts: Vec<&str> = matrix.hosts.iter().map(|host| &*host.host.name).collect();
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

    pub fn state(&self, vm: Vm, dump: usize, host: usize) -> State {
        State::of(self.cell(vm, dump, host))
    }

    /// Whether the two kinds of VM do not fare the same.
    pub fn differ(&self, dump: usize, host: usize) -> bool {
        let Pair { strict, default } = &self.cells[dump][host];
        let fate = |cell: &Cell| {
            let refused = |refusals: &[crate::model::fleet::matrix::Refusal]| -> Vec<_> {
                let refusals = refusals.iter();
                let what = refusals.map(|it| (it.register, it.value, it.errno.clone()));
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

    pub fn count(&self, is_meant: impl Fn(usize, usize) -> bool) -> usize {
        let dumps = 0..self.dumps.len();
        let all = dumps.flat_map(|dump| (0..self.hosts.len()).map(move |host| (dump, host)));
        all.filter(|(dump, host)| is_meant(*dump, *host)).count()
    }

    /// The moves that are meant, as lists of names.
    pub fn named(&self, is_meant: impl Fn(usize, usize) -> bool) -> Vec<(String, String)> {
        let groups = groups::by_targets(&self.dumps, &self.hosts, is_meant);
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
