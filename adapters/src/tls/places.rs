//! Bounds the number of handshakes in progress.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Places for handshakes.
#[derive(Debug)]
pub(super) struct Places(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// In the order in which they came.
    waiting: BTreeMap<u64, Waker>,
    next: u64,
}

/// A place, or a turn to get one. Dropping it passes it on.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    has: Has,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Has {
    Nothing,
    Turn(u64),
    Place,
}

impl Places {
    /// Makes `count` places, at least one.
    pub(super) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { free: count.max(1), waiting: BTreeMap::new(), next: 0 })))
    }

    /// A place to wait for.
    pub(super) fn place(self: &Arc<Self>) -> Place {
        Place { places: Arc::clone(self), has: Has::Nothing }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_first(&self, turn: u64) -> bool {
        self.waiting.first_key_value().is_none_or(|(first, _)| turn <= *first)
    }

    /// The first that waits, if there is a place for it.
    fn to_wake(&self) -> Option<Waker> {
        let (_, waker) = self.waiting.first_key_value().filter(|_| self.free > 0)?;
        Some(waker.clone())
    }
}

impl Place {
    /// Waits for it, in turn.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.places.state();
        let turn = match self.has {
            Has::Place => return Poll::Ready(()),
            Has::Turn(turn) => turn,
            Has::Nothing => {
                let turn = state.next;
                state.next += 1;
                turn
            }
        };
        if state.free == 0 || !state.is_first(turn) {
            let replaced = state.waiting.insert(turn, cx.waker().clone());
            self.has = Has::Turn(turn);
            drop(state);
            drop(replaced);
            return Poll::Pending;
        }
        state.free -= 1;
        let replaced = state.waiting.remove(&turn);
        self.has = Has::Place;
        let next = state.to_wake();
        drop(state);
        drop(replaced);
        next.into_iter().for_each(Waker::wake);
        Poll::Ready(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.places.state();
        let replaced = match self.has {
            Has::Nothing => return,
            Has::Turn(turn) => state.waiting.remove(&turn),
            Has::Place => {
                state.free += 1;
                None
            }
        };
        let next = state.to_wake();
        drop(state);
        drop(replaced);
        next.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct One {
        place: Place,
        woken: Arc<Woken>,
    }

    impl One {
        fn new(places: &Arc<Places>) -> Self {
            Self { place: places.place(), woken: Arc::default() }
        }

        fn has(&mut self) -> bool {
            let waker = Arc::clone(&self.woken).into();
            self.place.poll(&Context::from_waker(&waker)).is_ready()
        }

        fn was_woken(&self) -> bool {
            self.woken.0.swap(0, Ordering::Relaxed) > 0
        }
    }

    #[test]
    fn places_are_passed_on_in_turn_and_none_is_lost() {
        let places = Places::new(2);
        let [mut one, mut two, mut three, mut four, mut five, mut late] = [(); 6].map(|()| One::new(&places));
        assert!(one.has() && two.has() && one.has());
        assert!(!three.has() && !four.has() && !five.has() && !three.has());
        drop(one);
        assert!(three.was_woken() && !four.was_woken() && !five.was_woken());
        // Neither one that comes later, nor the next in turn, is first.
        assert!(!late.has() && !four.has());
        assert!(three.has() && !four.was_woken());
        // The first was woken, and is gone.
        drop(two);
        assert!(four.was_woken());
        drop(four);
        assert!(five.was_woken() && five.has() && !late.was_woken());
        drop(One::new(&places));
        drop([three.place, five.place]);
        assert!(late.was_woken() && late.has());
        assert!(One::new(&places).has());
    }
}
