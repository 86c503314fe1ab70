//! What a socket that reconnects shares with its outlets.

use std::mem;
use std::task::{Context, Poll, Waker};

use endwell_core::ws::Close;
use slab::Slab;

use super::ReconnectEvent;
use crate::sync::{Lock, Woken};
use crate::ws::Outlet;

pub(super) struct Shared(Lock<State>);

#[derive(Default)]
struct State {
    stage: Stage,
    /// What is handed out next.
    event: Option<ReconnectEvent>,
    /// The task that receives, while it waits for what a close ends.
    receiver: Option<Waker>,
    /// Tasks that wait for a socket.
    waiting: Slab<Waker>,
}

#[derive(Default)]
enum Stage {
    /// There is no socket, or one that the hook has.
    #[default]
    Between,
    /// A socket is open.
    Open(Outlet),
    /// No further socket is opened, after this Close.
    Closing(Close),
    /// Nothing more comes.
    Over,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self(Lock::new(State::default()))
    }

    fn change<R>(&self, change: impl FnOnce(&mut State, &mut Woken) -> R) -> R {
        let mut woken = Woken::default();
        let mut state = self.0.lock();
        let result = change(&mut state, &mut woken);
        // No waker is woken or dropped under the lock.
        drop(state);
        drop(woken);
        result
    }

    /// The outlet of the open socket.
    pub(super) fn outlet(&self) -> Option<Outlet> {
        match &self.0.lock().stage {
            Stage::Open(outlet) => Some(outlet.clone()),
            Stage::Between | Stage::Closing(_) | Stage::Over => None,
        }
    }

    /// A socket is open, and can be used. It is closed if that was asked for.
    pub(super) fn opened(&self, outlet: &Outlet) {
        let close = self.change(|state, woken| match &state.stage {
            Stage::Between | Stage::Open(_) => {
                state.stage = Stage::Open(outlet.clone());
                state.wake_waiting(woken);
                None
            }
            Stage::Closing(close) => Some(close.clone()),
            Stage::Over => Some(Close::EMPTY),
        });
        if let Some(close) = close {
            outlet.clone().close(close);
        }
    }

    /// The open socket has ended.
    pub(super) fn lost(&self) {
        self.change(|state, _| {
            if let Stage::Open(_) = state.stage {
                state.stage = Stage::Between;
            }
        });
    }

    /// Closes the open socket, and opens no further one.
    pub(super) fn close(&self, close: Close) {
        let outlet = self.change(|state, woken| {
            let stage = mem::replace(&mut state.stage, Stage::Over);
            let outlet = match stage {
                Stage::Between => None,
                Stage::Open(outlet) => Some(outlet),
                ended @ (Stage::Closing(_) | Stage::Over) => {
                    state.stage = ended;
                    return None;
                }
            };
            state.stage = Stage::Closing(close.clone());
            woken.take(&mut state.receiver);
            state.wake_waiting(woken);
            outlet
        });
        if let Some(outlet) = outlet {
            outlet.close(close);
        }
    }

    /// Nothing more comes.
    pub(super) fn over(&self) {
        self.change(|state, woken| {
            state.stage = Stage::Over;
            state.wake_waiting(woken);
        });
    }

    pub(super) fn is_closing(&self) -> bool {
        matches!(self.0.lock().stage, Stage::Closing(_) | Stage::Over)
    }

    /// Waits for a close.
    pub(super) fn poll_closing(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.change(|state, woken| match state.stage {
            Stage::Closing(_) | Stage::Over => Poll::Ready(()),
            Stage::Between | Stage::Open(_) => {
                woken.register(&mut state.receiver, cx.waker());
                Poll::Pending
            }
        })
    }

    /// Waits for a socket; false if no further one is opened. `key` is the slot of the waiting task.
    pub(super) fn poll_open(&self, cx: &mut Context<'_>, key: &mut Option<usize>) -> Poll<bool> {
        self.change(|state, woken| {
            let is_open = match state.stage {
                Stage::Open(_) => true,
                Stage::Closing(_) | Stage::Over => false,
                Stage::Between => {
                    match key.and_then(|key| state.waiting.get_mut(key)) {
                        Some(known) if known.will_wake(cx.waker()) => {}
                        Some(known) => woken.discard(Some(mem::replace(known, cx.waker().clone()))),
                        None => *key = Some(state.waiting.insert(cx.waker().clone())),
                    }
                    return Poll::Pending;
                }
            };
            if let Some(key) = key.take() {
                woken.discard(state.waiting.try_remove(key));
            }
            Poll::Ready(is_open)
        })
    }

    /// Removes a task that waited for a socket.
    pub(super) fn leave(&self, key: usize) {
        self.change(|state, woken| woken.discard(state.waiting.try_remove(key)));
    }

    pub(super) fn put(&self, event: ReconnectEvent) {
        self.0.lock().event = Some(event);
    }

    pub(super) fn has_event(&self) -> bool {
        self.0.lock().event.is_some()
    }

    pub(super) fn take_event(&self) -> Option<ReconnectEvent> {
        self.0.lock().event.take()
    }
}

impl State {
    fn wake_waiting(&mut self, woken: &mut Woken) {
        // The slots stay those of their tasks.
        for (_, waker) in &self.waiting {
            woken.add(waker.clone());
        }
    }
}
