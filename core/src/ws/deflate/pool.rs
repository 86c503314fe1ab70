//! Compressors and inflaters that are not in use.

use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, PoisonError};

use super::deflater::{Deflater, Form};
use super::inflater::Inflater;

/// Lends compressors and inflaters for one message. One that is not returned is replaced when it is needed.
#[derive(Default)]
pub(super) struct Pool {
    inflaters: Mutex<Vec<Inflater>>,
    deflaters: Mutex<Vec<Deflater>>,
    owners: Mutex<u64>,
}

/// A connection whose window an inflater may still have when the next message comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner(u64);

/// The most of each that are kept: as many as threads are likely to need at the same moment.
const KEPT: usize = 16;

impl Pool {
    /// Registers a new connection.
    pub(super) fn owner(&self) -> Owner {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        *owners += 1;
        Owner(*owners)
    }

    /// Returns an inflater for a message, if possible the one that the connection used last: it still has the window.
    pub(super) fn inflater(&self, owner: Option<Owner>) -> Inflater {
        let is_ours = |inflater: &Inflater| owner.is_some_and(|owner| inflater.belongs_to(owner));
        let mut inflater = take(&self.inflaters, is_ours).unwrap_or_else(Inflater::new);
        inflater.begin(owner);
        inflater
    }

    pub(super) fn give_inflater(&self, inflater: Inflater) {
        give(&self.inflaters, inflater);
    }

    /// Returns a compressor of this form. Terms differ between connections, so there may be several forms.
    pub(super) fn deflater(&self, form: Form) -> Deflater {
        take_only(&self.deflaters, |deflater| deflater.form() == form).unwrap_or_else(|| Deflater::new(form))
    }

    pub(super) fn give_deflater(&self, mut deflater: Deflater) {
        deflater.forget_output();
        give(&self.deflaters, deflater);
    }
}

/// Takes the last one returned that is wanted: it is the warmest.
fn take_only<T>(kept: &Mutex<Vec<T>>, is_wanted: impl Fn(&T) -> bool) -> Option<T> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let at = kept.iter().rposition(is_wanted)?;
    Some(kept.remove(at))
}

/// Takes the last one returned that is wanted, or else the last one.
fn take<T>(kept: &Mutex<Vec<T>>, is_wanted: impl Fn(&T) -> bool) -> Option<T> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    match kept.iter().rposition(is_wanted) {
        Some(at) => Some(kept.remove(at)),
        None => kept.pop(),
    }
}

/// Keeps it, in place of the oldest if there are too many: forms that are no longer needed leave.
fn give<T>(kept: &Mutex<Vec<T>>, one: T) {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let oldest = if kept.len() >= KEPT { Some(kept.remove(0)) } else { None };
    kept.push(one);
    // The oldest is dropped without the lock.
    drop(kept);
    drop(oldest);
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
