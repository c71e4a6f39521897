// SPDX-License-Identifier: GPL-2.0

//! What a trial does, made of any bytes.
//!
//! Choices take a byte each, and the likely ones most of its values: a sequence that gets somewhere
//! is short.

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::act::{Act, Enable};
use crate::model::{self, Host, IDS, WORKAROUND_2};

/// No trial is longer.
const STEPS: usize = 32;

/// Two hosts with a VM each, and what is done to them.
#[derive(Clone, Debug)]
pub struct Input {
    pub hosts: [Host; 2],
    pub setups: [Setup; 2],
    pub steps: Vec<Step>,
}

/// How a VMM makes a VM.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Whether the vCPUs have `KVM_ARM_VCPU_PSCI_0_2`.
    pub psci_0_2: bool,
    /// Whether the VM is of `KVM_VM_TYPE_ARM_PROTECTED`.
    pub protected: bool,
    /// What the VMM asks for before it creates the vCPUs.
    pub enables: Vec<Enable>,
}

#[derive(Clone, Debug)]
pub enum Step {
    /// Something is done to a VM, while other threads may do something to it as well.
    Do {
        vm: usize,
        wish: Wish,
        meanwhile: Meanwhile,
    },
    /// A VM is saved, restored in a fresh one of the same setup on a host, and takes the place of
    /// the VM there.
    Move { from: usize, to: usize, order: u8 },
}

/// An [`crate::act::Act`] whose value may depend on what the VM has.
#[derive(Clone, Debug)]
pub enum Wish {
    Set {
        vcpu: usize,
        id: u64,
        value: Value,
        mapped: bool,
    },
    Get {
        id: u64,
        mapped: bool,
    },
    List {
        room: usize,
    },
    Ssbs(u8),
    Run,
    Enable(Enable),
}

impl Wish {
    /// What is wished for, of a VM as it is now.
    pub fn resolve(&self, vm: &model::Vm, host: &Host) -> Act {
        match *self {
            Wish::Set {
                vcpu,
                id,
                ref value,
                mapped,
            } => {
                let register = model::IDS.iter().position(|known| *known == id);
                let value = match (value, register) {
                    (Value::Plain(value), _) => *value,
                    (Value::Promise, Some(register)) => vm.promise(register, host),
                    (Value::Offer, Some(register)) => model::offer(register, vm, host),
                    (Value::Promise | Value::Offer, None) => 0,
                };
                Act::Set {
                    vcpu,
                    id,
                    value,
                    mapped,
                }
            }
            Wish::Get { id, mapped } => Act::Get { id, mapped },
            Wish::List { room } => Act::List { room },
            Wish::Ssbs(ssbs) => Act::Ssbs(ssbs),
            Wish::Run => Act::Run,
            Wish::Enable(enable) => Act::Enable(enable),
        }
    }
}

#[derive(Clone, Debug)]
pub enum Value {
    Plain(u64),
    /// What the register has.
    Promise,
    /// What the host could keep.
    Offer,
}

/// What other threads do while a call is at work.
#[derive(Clone, Debug, Default)]
pub struct Meanwhile {
    /// After so many of the call's accesses to what others can see.
    pub after: u32,
    pub wishes: Vec<Wish>,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut input = Self {
            hosts: [host(u)?, host(u)?],
            setups: [setup(u)?, setup(u)?],
            steps: Vec::new(),
        };
        while !u.is_empty() && input.steps.len() < STEPS {
            input.steps.push(step(u)?);
        }
        Ok(input)
    }
}

fn host(u: &mut Unstructured<'_>) -> Result<Host> {
    Ok(Host {
        states: [
            u.int_in_range(0..=2)?,
            u.int_in_range(0..=2)?,
            u.int_in_range(0..=2)?,
        ],
        ssbs: u.int_in_range(0..=2)?,
        strict: !usually(u)?,
    })
}

fn setup(u: &mut Unstructured<'_>) -> Result<Setup> {
    let psci_0_2 = usually(u)?;
    let kind = u.int_in_range(0..=15_u8)?;
    let enables = match kind {
        0..=4 => Vec::new(),
        5..=9 => vec![Enable::plain(1)],
        10..=11 => vec![Enable::plain(3)],
        12 => vec![Enable::plain(2)],
        _ => {
            let count = 0..u.int_in_range(1..=3_u8)?;
            count.map(|_| enable(u)).collect::<Result<_>>()?
        }
    };
    Ok(Setup {
        psci_0_2,
        protected: kind == 15,
        enables,
    })
}

fn enable(u: &mut Unstructured<'_>) -> Result<Enable> {
    let mut enable = Enable::plain(match u.int_in_range(0..=15_u8)? {
        flags @ 0..=7 => flags.into(),
        8..=11 => 1,
        _ => 1 << u.int_in_range(0..=63)?,
    });
    // What has to be 0, and sometimes is not.
    match u.int_in_range(0..=15_u8)? {
        0 => enable.flags = u.arbitrary()?,
        n @ 1..=3 => enable.args[usize::from(n)] = u.arbitrary()?,
        _ => (),
    }
    Ok(enable)
}

/// 15 times out of 16, and where there is no byte left.
fn usually(u: &mut Unstructured<'_>) -> Result<bool> {
    Ok(u.int_in_range(0..=15_u8)? != 15)
}

fn step(u: &mut Unstructured<'_>) -> Result<Step> {
    Ok(match u.int_in_range(0..=15_u8)? {
        0..=10 => Step::Do {
            vm: u.int_in_range(0..=1)?,
            wish: wish(u, None)?,
            meanwhile: Meanwhile::default(),
        },
        11..=13 => {
            let (vm, wish_of_one) = (u.int_in_range(0..=1)?, wish(u, None)?);
            let near = match wish_of_one {
                Wish::Set { id, .. } | Wish::Get { id, .. } => Some(id),
                _ => None,
            };
            let after = u.int_in_range(0..=7)?;
            let others = 0..u.int_in_range(1..=3_u8)?;
            let wishes = others.map(|_| wish(u, near)).collect::<Result<_>>()?;
            Step::Do {
                vm,
                wish: wish_of_one,
                meanwhile: Meanwhile { after, wishes },
            }
        }
        _ => Step::Move {
            from: u.int_in_range(0..=1)?,
            to: u.int_in_range(0..=1)?,
            order: u.arbitrary()?,
        },
    })
}

/// `near` is the register that another thread is at.
fn wish(u: &mut Unstructured<'_>, near: Option<u64>) -> Result<Wish> {
    Ok(match u.int_in_range(0..=15_u8)? {
        0..=8 => Wish::Set {
            vcpu: u.int_in_range(0..=1)?,
            id: id(u, near)?,
            value: value(u)?,
            mapped: usually(u)?,
        },
        9 => Wish::Get {
            id: id(u, near)?,
            mapped: usually(u)?,
        },
        10 => Wish::List {
            room: u.int_in_range(0..=9)?,
        },
        11..=13 => Wish::Ssbs(u.int_in_range(0..=2)?),
        14 => Wish::Run,
        _ => Wish::Enable(enable(u)?),
    })
}

fn id(u: &mut Unstructured<'_>, near: Option<u64>) -> Result<u64> {
    Ok(match (u.int_in_range(0..=31_u8)?, near) {
        (0..=15, Some(near)) => near,
        (0..=19, _) => *u.choose(&IDS)?,
        // The one whose offer depends on the VM.
        (20..=23, _) => IDS[WORKAROUND_2],
        (24..=26, _) => *u.choose(&[IDS[0], IDS[4]])? + u64::from(u.arbitrary::<u16>()?),
        (27..=28, _) => *u.choose(&IDS)? ^ 1 << u.int_in_range(0..=63)?,
        // Another size.
        (29..=30, _) => *u.choose(&IDS)? & !(0xf << 52) | u.int_in_range(0..=15_u64)? << 52,
        (_, _) => u.arbitrary()?,
    })
}

fn value(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=15_u8)? {
        0..=6 => Value::Plain(u.int_in_range(0..=31)?),
        7..=9 => Value::Plain(u.int_in_range(0x0_ffff..=0x1_0004)?),
        10..=11 => Value::Promise,
        12..=13 => Value::Offer,
        14 => Value::Plain(u.int_in_range(0..=31)? | 1 << u.int_in_range(0..=63)?),
        _ => Value::Plain(u.arbitrary()?),
    })
}
