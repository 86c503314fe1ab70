//! Bounds the number of handshakes in progress.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Places for handshakes.
#[derive(Debug)]
pub(super) struct Places(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    waiting: Vec<Waker>,
}

/// A place: dropping it frees the place.
#[derive(Debug)]
pub(super) struct Place(Arc<Places>);

impl Places {
    /// Makes `count` places, at least one.
    pub(super) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { free: count.max(1), waiting: Vec::new() })))
    }

    /// Waits for a place.
    pub(super) async fn take(self: &Arc<Self>) -> Place {
        std::future::poll_fn(|cx| self.poll_take(cx)).await
    }

    fn poll_take(self: &Arc<Self>, cx: &Context<'_>) -> Poll<Place> {
        let mut state = self.state();
        if let Some(free) = state.free.checked_sub(1) {
            state.free = free;
            return Poll::Ready(Place(Arc::clone(self)));
        }
        if !state.waiting.iter().any(|known| known.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.free += 1;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        // Wakes all: one of them may be gone, and would keep the place from the others.
        waiting.into_iter().for_each(Waker::wake);
    }
}
