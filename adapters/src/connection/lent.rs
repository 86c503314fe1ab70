//! Which connection a thread has lent an event of: its lock is held meanwhile, so the thread must not wait for it.

use std::cell::Cell;

use super::Link;

thread_local! {
    /// The address of the connection's lock, or 0.
    static LENT: Cell<usize> = const { Cell::new(0) };
}

/// While this lives, the thread lends an event of a connection.
pub(crate) struct Lent {
    before: usize,
}

impl Lent {
    pub(crate) fn new(link: &Link) -> Self {
        Self { before: LENT.replace(address(link)) }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        LENT.set(self.before);
    }
}

/// Panics if the thread waits for the lock that it holds, which would be for ever.
pub(super) fn check(link: &Link) {
    assert!(
        LENT.get() != address(link),
        "the closure of `for_each` used its own socket: reply with its `Reply`, or send with an `Outlet`"
    );
}

/// Panics if the thread lends an event: what it would wait for may need the connection.
#[cfg(feature = "blocking")]
pub(crate) fn check_none() {
    assert!(LENT.get() == 0, "the closure of `for_each` must not block: it holds up its own connection");
}

fn address(link: &Link) -> usize {
    std::ptr::from_ref(link).addr()
}
