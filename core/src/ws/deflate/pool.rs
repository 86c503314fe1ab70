//! Compressors and inflaters that nobody needs at the moment.

use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, PoisonError};

use super::deflater::{Deflater, Form};
use super::inflater::Inflater;

/// Lends compressors and inflaters for one message. What is not given back is made anew when it is needed.
#[derive(Default)]
pub(super) struct Pool {
    inflaters: Mutex<Vec<Inflater>>,
    deflaters: Mutex<Vec<Deflater>>,
}

/// How many of each are kept: as many threads as are likely to need one at the same moment.
const KEPT: usize = 16;

impl Pool {
    pub(super) fn inflater(&self) -> Inflater {
        take(&self.inflaters, |_| true).unwrap_or_else(Inflater::new)
    }

    pub(super) fn give_inflater(&self, inflater: Inflater) {
        give(&self.inflaters, inflater);
    }

    /// One of this form. What was agreed on differs between connections, so there may be several.
    pub(super) fn deflater(&self, form: Form) -> Deflater {
        take(&self.deflaters, |deflater| deflater.form() == form).unwrap_or_else(|| Deflater::new(form))
    }

    pub(super) fn give_deflater(&self, mut deflater: Deflater) {
        deflater.forget_output();
        give(&self.deflaters, deflater);
    }
}

/// The last one that was given back and is wanted: it is the warmest.
fn take<T>(kept: &Mutex<Vec<T>>, is_wanted: impl Fn(&T) -> bool) -> Option<T> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let at = kept.iter().rposition(is_wanted)?;
    Some(kept.remove(at))
}

/// Keeps it, in place of the oldest if there are too many: forms that nobody asks for any more leave.
fn give<T>(kept: &Mutex<Vec<T>>, one: T) {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let oldest = if kept.len() >= KEPT { Some(kept.remove(0)) } else { None };
    kept.push(one);
    // Its memory is given back without the lock.
    drop(kept);
    drop(oldest);
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
