// SPDX-License-Identifier: GPL-2.0

//! Two threads that race on a VM, in every order in which a CPU may let them see what the other one
//! has stored.
//!
//! loom plays the threads. Where a load may also return an older value, it runs the race again for
//! that one. It does not play a CPU that stores before an earlier load of the same thread.

mod cases;

use std::fmt::{self, Display, Formatter};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use kernel::sim;
use loom::model::Builder;
use loom::thread;

use crate::act::{Act, Enable, Outcome, Seen};
use crate::model::{self, Host};
use crate::trial::enter;
use crate::words::NAMES;
use crate::{kvm, laws};

pub use cases::{groups, Case, Group};

/// One thing that a thread does.
#[derive(Clone, Debug)]
enum Call {
    Act(Act),
    /// The guest asks what it has of a register, on a vCPU that this thread has run.
    Ask(usize),
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Act(act) => act.fmt(f),
            Self::Ask(register) => write!(f, "the guest asks for {}", NAMES[*register]),
        }
    }
}

/// What a thread did, and what came of it.
type History = Vec<(Call, Outcome)>;

#[derive(Clone, Debug)]
struct Race {
    host: Host,
    strict: bool,
    threads: [Vec<Call>; 2],
}

/// What the executions of a race have shown.
#[derive(Debug, Default)]
struct Explored {
    executions: u64,
    /// The first that no order of the calls explains, in words.
    unexplained: Option<String>,
    /// The first that went wrong otherwise.
    failure: Option<String>,
}

/// Runs it in all ways that there are.
fn explore(race: &Race) -> Explored {
    let explored = Arc::new(Mutex::new(Explored::default()));
    let mut builder = Builder::new();
    // Variables of the environment may say otherwise.
    builder.preemption_bound = None;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let (race, explored) = (race.clone(), explored.clone());
        builder.check(move || {
            let once = race.run();
            let mut explored = explored.lock().unwrap_or_else(PoisonError::into_inner);
            explored.executions += 1;
            match once {
                Ok(None) => (),
                Ok(Some(story)) => drop(explored.unexplained.get_or_insert(story)),
                Err(failure) => drop(explored.failure.get_or_insert(failure)),
            }
        });
    }));
    let mut explored = explored.lock().unwrap_or_else(PoisonError::into_inner);
    let mut explored = std::mem::take(&mut *explored);
    if ended.is_err() {
        explored.failure = Some(format!(
            "{race:?}: panic, or the threads wait for each other"
        ));
    }
    explored
}

impl Race {
    /// Runs it once, as loom has it. Returns what came of it where no order of the calls explains that.
    ///
    /// # Errors
    ///
    /// What must never be: a law is broken.
    fn run(&self) -> Result<Option<String>, String> {
        enter(&self.host);
        let mut real = kvm::Vm::new(true, false, self.host.ssbs);
        let mut model = model::Vm::new(true, false, &self.host);
        if self.strict {
            let enable = Act::Enable(Enable::plain(1));
            real.act(&enable);
            model.act(&self.host, &enable);
        }
        real.create_vcpus();
        model.create_vcpus();

        let real = Rc::new(real);
        let [mine, theirs] = self.threads.clone();
        let other = thread::spawn({
            let (real, host) = (real.clone(), self.host.clone());
            move || {
                enter(&host);
                make(&real, theirs)
            }
        });
        let mine = make(&real, mine)?;
        let theirs = other.join().map_err(|_| "a thread has panicked")??;

        let seen = real.seen();
        match explained(&model, &self.host, [&mine, &theirs], &seen) {
            Some(model) => match laws::broken_state(&seen, &model, &self.host) {
                Some(law) => Err(format!("a law is broken: {law}")),
                None => Ok(None),
            },
            None => Ok(Some(format!(
                "no order of the calls explains what came of them:{}{}",
                told("one thread", &mine),
                told("the other", &theirs)
            ))),
        }
    }
}

/// A thread makes its calls.
fn make(real: &kvm::Vm, calls: Vec<Call>) -> Result<History, String> {
    let made = calls.into_iter().map(|call| {
        let outcome = match call {
            Call::Act(ref act) => real.act(act),
            Call::Ask(register) => answered(real.asked(register)),
        };
        (call, outcome)
    });
    let history = made.collect();
    match sim::take_violation() {
        Some(violation) => Err(violation.to_owned()),
        None => Ok(history),
    }
}

/// The model after the calls that are left of both threads, if there is an order of them in which
/// they come out so, and which ends with what is seen. Each thread's own are in their order.
fn explained(
    vm: &model::Vm,
    host: &Host,
    left: [&[(Call, Outcome)]; 2],
    seen: &Seen,
) -> Option<model::Vm> {
    if left.iter().all(|history| history.is_empty()) {
        return (vm.seen(host) == *seen).then(|| vm.clone());
    }
    (0..2).find_map(|thread| {
        let ((call, outcome), rest) = left[thread].split_first()?;
        let mut after = vm.clone();
        let expected = match call {
            Call::Act(act) => after.act(host, act),
            Call::Ask(register) => answered(after.seen(host).asked(*register)),
        };
        if expected != *outcome {
            return None;
        }
        let mut left = left;
        left[thread] = rest;
        explained(&after, host, left, seen)
    })
}

/// The outcome of a guest's question.
fn answered(word: u64) -> Outcome {
    Outcome {
        words: vec![word],
        ..Outcome::answer(0)
    }
}

fn told(who: &str, history: &History) -> String {
    let calls = history.iter();
    let calls = calls.map(|(call, outcome)| format!("\n    {call}: {outcome}"));
    format!("\n  {who}:{}", calls.collect::<String>())
}
