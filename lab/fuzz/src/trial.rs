// SPDX-License-Identifier: GPL-2.0

//! A trial: the component and the model side by side, step by step.

use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;

use kernel::bindings;
use kernel::sim::{self, Spectre};

use crate::act::{Act, Outcome, Seen};
use crate::input::{Input, Meanwhile, Setup, Step, Wish};
use crate::words::Differences;
use crate::{kvm, laws, model};

mod moves;

/// The first thing that was not as the laws have it, and the way there.
#[derive(Debug)]
pub struct Failure {
    pub steps: Vec<String>,
    pub what: String,
}

/// A VM, and what the model has of it.
#[derive(Clone)]
pub struct Pair {
    setup: Setup,
    real: Rc<kvm::Vm>,
    model: model::Vm,
}

/// What a trial has got to.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    /// By the number that the trace event has for it.
    pub verdicts: [bool; 8],
    /// A value was accepted for a default VM; and for a strict one.
    pub kinds: [bool; 2],
    /// What a VMM has asked for was refused; and was not.
    pub enabled: [bool; 2],
    /// A VM was moved, accepted without a refusal, and brought back.
    pub returned: bool,
    /// A call came out as if it was made before that of another thread, which it had begun before;
    /// and as if after it.
    pub overtaken: [bool; 2],
}

pub struct Trial {
    hosts: [model::Host; 2],
    reached: Reached,
    /// What was done, if anybody wants to know.
    log: Option<Vec<String>>,
}

/// Runs it.
///
/// # Errors
///
/// The first difference between the component and the model, in words.
pub fn trial(input: &Input) -> Result<Reached, Box<Failure>> {
    match attempt(input, None) {
        Ok(reached) => Ok(reached),
        // Once more, with a log.
        Err(_) => attempt(input, Some(Vec::new())),
    }
}

fn attempt(input: &Input, log: Option<Vec<String>>) -> Result<Reached, Box<Failure>> {
    sim::reset();
    let mut trial = Trial {
        reached: Reached::default(),
        hosts: input.hosts.clone(),
        log,
    };
    for (n, name) in ["A", "B"].iter().enumerate() {
        trial.say(|| format!("host {name}: {}", input.hosts[n]));
    }
    // Nothing of a trial that has panicked is used but its log.
    let result = catch_unwind(AssertUnwindSafe(|| trial.run(input)));
    let result = result.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or(panic.downcast_ref::<&str>().copied());
        Err(format!("panic: {}", message.unwrap_or("no message")))
    });
    match result {
        Ok(()) => Ok(trial.reached),
        Err(what) => {
            let steps = trial.log.unwrap_or_default();
            Err(Box::new(Failure { steps, what }))
        }
    }
}

/// The component runs on this host from now on.
pub fn enter(host: &model::Host) {
    const STATES: [u32; 3] = [
        bindings::mitigation_state_SPECTRE_UNAFFECTED,
        bindings::mitigation_state_SPECTRE_MITIGATED,
        bindings::mitigation_state_SPECTRE_VULNERABLE,
    ];
    let [v2, v4, bhb] = host.states.map(|state| STATES[state]);
    sim::set_spectre(Spectre { v2, v4, bhb });
    sim::set_param(Some(("kvm_arm_fw_regs.strict", host.strict)));
}

impl Trial {
    fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(line());
        }
    }

    fn run(&mut self, input: &Input) -> Result<(), String> {
        let [a, b] = &input.setups;
        let mut vms = [self.fresh(0, a)?, self.fresh(1, b)?];
        for step in &input.steps {
            self.step(&mut vms, step)?;
        }
        // What is done to one VM does nothing to the other.
        for (host, vm) in vms.iter().enumerate() {
            self.look(vm, host)?;
        }
        Ok(())
    }

    /// A VM that was just made.
    fn fresh(&mut self, host: usize, setup: &Setup) -> Result<Pair, String> {
        self.say(|| format!("host {}: {setup}", ["A", "B"][host]));
        enter(&self.hosts[host]);
        let Setup {
            psci_0_2,
            protected,
            ref enables,
        } = *setup;
        let limit = self.hosts[host].ssbs;
        let mut real = kvm::Vm::new(psci_0_2, protected, limit);
        let mut model = model::Vm::new(psci_0_2, protected, &self.hosts[host]);
        for enable in enables {
            let act = Act::Enable(*enable);
            self.say(|| format!("VM on {}: {act}", ["A", "B"][host]));
            let outcome = real.act(&act);
            let expected = model.act(&self.hosts[host], &act);
            self.compare(&act, &outcome, &expected)?;
            self.reached.enabled[usize::from(outcome.answer == 0)] = true;
        }
        real.create_vcpus();
        model.create_vcpus();
        let vm = Pair {
            setup: setup.clone(),
            real: Rc::new(real),
            model,
        };
        self.look(&vm, host)?;
        Ok(vm)
    }

    fn step(&mut self, vms: &mut [Pair; 2], step: &Step) -> Result<(), String> {
        match *step {
            Step::Do {
                vm,
                ref wish,
                ref meanwhile,
            } => self.carry_out(&mut vms[vm], vm, wish, meanwhile),
            Step::Move { from, to, order } => {
                vms[to] = self.moved(&vms[from], from, to, order)?;
                Ok(())
            }
        }
    }

    /// Everything that can be seen of a VM is as the model has it, and keeps the laws.
    fn look(&self, vm: &Pair, host: usize) -> Result<Seen, String> {
        enter(&self.hosts[host]);
        let (seen, expected) = (vm.real.seen(), vm.model.seen(&self.hosts[host]));
        if let Some(violation) = sim::take_violation() {
            return Err(format!("get, or what the guest asks: {violation}"));
        }
        if seen != expected {
            let name = ["A", "B"][host];
            return Err(format!(
                "the VM on {name} is not what it should be:{}",
                Differences(&expected, &seen)
            ));
        }
        match laws::broken_state(&seen, &vm.model, &self.hosts[host]) {
            Some(law) => Err(format!("a law is broken: {law}")),
            None => Ok(seen),
        }
    }

    fn carry_out(
        &mut self,
        vm: &mut Pair,
        host: usize,
        wish: &Wish,
        meanwhile: &Meanwhile,
    ) -> Result<(), String> {
        let resolve = |wish: &Wish| wish.resolve(&vm.model, &self.hosts[host]);
        let act = resolve(wish);
        let others: Vec<Act> = meanwhile.wishes.iter().map(resolve).collect();
        if others.is_empty() {
            return self.act(vm, host, &act).map(drop);
        }
        self.say(|| {
            let others: Vec<String> = others.iter().map(Act::to_string).collect();
            format!(
                "VM on {}: {act}; meanwhile, after {} of its accesses: {}",
                ["A", "B"][host],
                meanwhile.after,
                others.join("; ")
            )
        });

        enter(&self.hosts[host]);
        let done = Rc::new(RefCell::new(Vec::new()));
        sim::meanwhile(meanwhile.after, {
            let (real, done, others) = (vm.real.clone(), done.clone(), others.clone());
            move || {
                for act in &others {
                    let outcome = real.act(act);
                    done.borrow_mut().push(outcome);
                }
            }
        });
        let outcome = vm.real.act(&act);
        sim::catch_up();
        if let Some(violation) = sim::take_violation() {
            return Err(violation.to_owned());
        }
        let done = done.take();
        let seen = vm.real.seen();

        // Each call must have happened at one moment: some order explains all that was seen.
        for before in 0..=others.len() {
            let mut model = vm.model.clone();
            let mut order: Vec<(&Act, &Outcome)> = others.iter().zip(&done).collect();
            order.insert(before, (&act, &outcome));
            let explained = order
                .into_iter()
                .all(|(act, outcome)| model.act(&self.hosts[host], act) == *outcome);
            if explained && model.seen(&self.hosts[host]) == seen {
                vm.model = model;
                self.reached.overtaken[0] |= before == 0;
                self.reached.overtaken[1] |= before == others.len();
                return self.look(vm, host).map(drop);
            }
        }
        let done: Vec<String> = done.iter().map(Outcome::to_string).collect();
        Err(format!(
            "no order of the calls explains what came of them:\n      {outcome}\n      meanwhile: {}",
            done.join("; ")
        ))
    }

    /// Does something to a VM that nobody else accesses, and looks at all of it.
    fn act(&mut self, vm: &mut Pair, host: usize, act: &Act) -> Result<Outcome, String> {
        self.say(|| format!("VM on {}: {act}", ["A", "B"][host]));
        let before = (vm.model.seen(&self.hosts[host]), vm.real.words());
        let outcome = self.answer(vm, host, act)?;
        let after = (self.look(vm, host)?, vm.real.words());
        match laws::broken(act, &outcome, &before, &after) {
            Some(law) => Err(format!("a law is broken: {law}")),
            None => Ok(outcome),
        }
    }

    /// Does something to a VM that nobody else accesses, and looks at the answer.
    fn answer(&mut self, vm: &mut Pair, host: usize, act: &Act) -> Result<Outcome, String> {
        enter(&self.hosts[host]);
        let outcome = vm.real.act(act);
        for event in &outcome.events {
            if let Some(reached) = self.reached.verdicts.get_mut(event.verdict as usize) {
                *reached = true;
            }
            self.reached.kinds[usize::from(vm.model.strict)] |= outcome.answer == 0;
        }
        let expected = vm.model.act(&self.hosts[host], act);
        self.compare(act, &outcome, &expected)?;
        Ok(outcome)
    }

    fn compare(&self, act: &Act, outcome: &Outcome, expected: &Outcome) -> Result<(), String> {
        if let Some(violation) = sim::take_violation() {
            return Err(format!("{act}: {violation}"));
        }
        if outcome != expected {
            return Err(format!(
                "{act}:\n      expected {expected}\n      got      {outcome}"
            ));
        }
        Ok(())
    }
}
