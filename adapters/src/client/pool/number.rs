//! The numbers by which a pool identifies places, waiting requests and idle connections.

use std::cmp::Ordering;

/// A number that is used once. Later ones are greater, so their order is the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(u64);

impl Number {
    /// Before the first.
    pub(super) const ZERO: Self = Self(0);

    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        #[cfg(test)]
        steps::count();
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Counts comparisons of numbers, the steps of a change: a pool keeps everything in order by number.
#[cfg(test)]
pub(super) mod steps {
    use std::cell::Cell;

    thread_local! {
        static COUNTED: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        COUNTED.set(COUNTED.get() + 1);
    }

    /// The comparisons in this thread since the last call.
    pub(in super::super) fn take() -> u64 {
        COUNTED.take()
    }
}
