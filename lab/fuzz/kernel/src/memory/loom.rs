// SPDX-License-Identifier: GPL-2.0

//! For threads that loom plays.

use core::cell::Cell;
use core::marker::PhantomData;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Mutex, MutexGuard};
use loom::thread::{self, ThreadId};

use crate::sync::atomic::ordering::Relaxed;

pub(crate) use loom::thread_local;

/// A word that two threads access: the one that has made it, and another one.
///
/// loom remembers the last access to a word only. Where a thread that stores has loaded before, loom
/// overlooks that the other one's load may come after that store (tokio-rs/loom#166, #392). Therefore
/// a load begins with an access to a word of the thread's own, and a store with one to the other
/// thread's. They order nothing else.
pub struct Atomic<T> {
    word: AtomicUsize,
    maker: ThreadId,
    loads: [AtomicUsize; 2],
    _type: PhantomData<T>,
}

impl<T: TryFrom<usize> + TryInto<usize>> Atomic<T> {
    pub fn new(value: T) -> Self {
        Self {
            word: AtomicUsize::new(widened(value)),
            maker: thread::current().id(),
            loads: [0; 2].map(AtomicUsize::new),
            _type: PhantomData,
        }
    }

    pub fn load(&self, _: Relaxed) -> T {
        self.loads[self.thread()].fetch_add(1, Ordering::Relaxed);
        let word = self.word.load(Ordering::Relaxed);
        T::try_from(word).unwrap_or_else(|_| unreachable!("it was widened"))
    }

    pub fn store(&self, value: T, _: Relaxed) {
        self.loads[1 - self.thread()].fetch_add(1, Ordering::Relaxed);
        self.word.store(widened(value), Ordering::Relaxed);
    }
}

impl<T> Atomic<T> {
    fn thread(&self) -> usize {
        usize::from(thread::current().id() != self.maker)
    }
}

impl Atomic<usize> {
    pub fn fetch_or(&self, bits: usize, _: Relaxed) {
        self.loads[1 - self.thread()].fetch_add(1, Ordering::Relaxed);
        self.word.fetch_or(bits, Ordering::Relaxed);
    }
}

fn widened<T: TryInto<usize>>(value: T) -> usize {
    value
        .try_into()
        .unwrap_or_else(|_| unreachable!("no word of a VM is wider"))
}

/// A lock as C has it: who takes it gets no guard.
#[derive(Default)]
pub struct RawMutex {
    /// Before what it borrows, so that it is dropped before it.
    guard: Cell<Option<MutexGuard<'static, ()>>>,
    mutex: Mutex<()>,
}

impl RawMutex {
    pub fn lock(&self) {
        let mutex: *const Mutex<()> = &self.mutex;
        // SAFETY: The mutex is as old as the guard that is kept beside it. A VM does not move.
        let guard = unsafe { &*mutex }.lock();
        self.guard.set(Some(
            guard.unwrap_or_else(|_| unreachable!("no thread panics")),
        ));
    }

    pub fn is_held(&self) -> bool {
        let guard = self.guard.take();
        let is_held = guard.is_some();
        self.guard.set(guard);
        is_held
    }

    /// Returns whether it was held.
    pub fn unlock(&self) -> bool {
        self.guard.take().is_some()
    }
}
