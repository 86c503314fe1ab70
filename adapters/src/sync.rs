//! The lock of all shared state.
//!
//! It is std's. In builds that try every schedule (`--cfg endwell_loom`) loom's is taken first, so that loom decides
//! which thread runs next.

use std::ops::{Deref, DerefMut};
#[cfg(any(not(endwell_loom), feature = "hub"))]
use std::sync::TryLockError;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// A lock that a panic does not poison: its data is consistent after every call.
pub(crate) struct Lock<T> {
    #[cfg(endwell_loom)]
    turn: loom::sync::Mutex<()>,
    data: Mutex<T>,
}

/// A lock that is held.
pub(crate) struct Locked<'a, T> {
    // Dropped in this order.
    data: MutexGuard<'a, T>,
    #[cfg(endwell_loom)]
    _turn: Option<loom::sync::MutexGuard<'a, ()>>,
}

impl<T> Lock<T> {
    pub(crate) fn new(data: T) -> Self {
        Self {
            #[cfg(endwell_loom)]
            turn: loom::sync::Mutex::new(()),
            data: Mutex::new(data),
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> Locked<'_, T> {
        Locked {
            #[cfg(endwell_loom)]
            _turn: self.turn.lock().ok(),
            data: self.data.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Locks if that needs no waiting.
    #[cfg(feature = "hub")]
    pub(crate) fn try_lock(&self) -> Option<Locked<'_, T>> {
        #[cfg(endwell_loom)]
        let turn = Some(self.turn.try_lock().ok()?);
        let data = match self.data.try_lock() {
            Ok(data) => data,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(Locked {
            data,
            #[cfg(endwell_loom)]
            _turn: turn,
        })
    }

    /// Locks, and calls `is_held` first if that has to wait.
    #[inline]
    pub(crate) fn lock_or(&self, is_held: impl FnOnce()) -> Locked<'_, T> {
        #[cfg(not(endwell_loom))]
        match self.data.try_lock() {
            Ok(data) => return Locked { data },
            Err(TryLockError::Poisoned(poisoned)) => return Locked { data: poisoned.into_inner() },
            Err(TryLockError::WouldBlock) => {}
        }
        is_held();
        self.lock()
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.data.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T> DerefMut for Locked<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

/// What threads change so often that it has cache lines of its own: processors fetch them in pairs. A change would
/// otherwise take its neighbours from the caches of the other threads.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Apart<T>(T);

impl<T> Deref for Apart<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

/// Wakers to wake or drop once no lock is held: a waker may hold the last reference to its task, and dropping the task
/// may need the very lock.
///
/// Mostly it is one, which costs no allocation.
#[derive(Default)]
pub(crate) struct Woken {
    first: Option<Spent>,
    #[expect(clippy::box_collection, reason = "it is mostly missing, and each connection has one")]
    others: Option<Box<Vec<Spent>>>,
}

enum Spent {
    Woken(Waker),
    /// Another waker has taken its place. Waking this one too could let two futures of one task wake each other for
    /// ever.
    Replaced(Waker),
}

impl Woken {
    /// True if there is no waker to wake or drop.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    #[cold]
    fn wake(&mut self) {
        for spent in
            self.first.take().into_iter().chain(self.others.take().into_iter().flat_map(|others| *others))
        {
            match spent {
                Spent::Woken(waker) => waker.wake(),
                Spent::Replaced(waker) => drop(waker),
            }
        }
    }

    fn push(&mut self, spent: Spent) {
        if self.first.is_none() {
            self.first = Some(spent);
        } else {
            self.others.get_or_insert_default().push(spent);
        }
    }

    /// Wakes `waker` when this is dropped.
    pub(crate) fn add(&mut self, waker: Waker) {
        self.push(Spent::Woken(waker));
    }

    /// Takes a waker from a slot and wakes it when this is dropped.
    #[inline]
    pub(crate) fn take(&mut self, slot: &mut Option<Waker>) {
        if let Some(waker) = slot.take() {
            self.add(waker);
        }
    }

    /// Puts `waker` into a slot and replaces the one in it. False if it was there already.
    pub(crate) fn register(&mut self, slot: &mut Option<Waker>, waker: &Waker) -> bool {
        if slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return false;
        }
        self.discard(slot.replace(waker.clone()));
        true
    }

    /// Drops `waker` without waking it, once no lock is held.
    pub(crate) fn discard(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.push(Spent::Replaced(waker));
        }
    }
}

impl Drop for Woken {
    #[inline]
    fn drop(&mut self) {
        if !self.is_empty() {
            self.wake();
        }
    }
}
