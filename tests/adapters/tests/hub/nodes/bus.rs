//! A bus that can be cut, as one node has it.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use endwell::hub::{Backplane, BusEvent, InProcessBus, InProcessConnection, Publication, Refused};

/// The line of a node to the bus.
#[derive(Clone)]
pub(super) struct Line {
    bus: InProcessBus,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    is_cut: bool,
    /// Everything vanishes, without a word.
    is_dead: bool,
    waker: Option<Waker>,
}

pub(super) struct End {
    line: Line,
    connection: Option<InProcessConnection>,
}

impl Line {
    pub(super) fn new(bus: &InProcessBus) -> Self {
        Self { bus: bus.clone(), shared: Arc::default() }
    }

    pub(super) fn end(&self) -> End {
        End { line: self.clone(), connection: Some(self.bus.connect()) }
    }

    pub(super) fn cut(&self) {
        self.change(|shared| shared.is_cut = true);
    }

    pub(super) fn heal(&self) {
        self.change(|shared| shared.is_cut = false);
    }

    /// As if the program had been killed.
    pub(super) fn kill(&self) {
        self.change(|shared| shared.is_dead = true);
    }

    fn change(&self, change: impl FnOnce(&mut Shared)) {
        let mut shared = self.shared.lock().unwrap();
        change(&mut shared);
        let waker = shared.waker.take();
        drop(shared);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Backplane for End {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BusEvent> {
        let mut shared = self.line.shared.lock().unwrap();
        shared.waker = Some(cx.waker().clone());
        if shared.is_dead {
            return Poll::Pending;
        }
        if shared.is_cut {
            return if self.connection.take().is_some() { Poll::Ready(BusEvent::Cut) } else { Poll::Pending };
        }
        drop(shared);
        self.connection.get_or_insert_with(|| self.line.bus.connect()).poll(cx)
    }

    fn try_publish(&mut self, publication: Publication<'_>) -> Result<(), Refused> {
        let shared = self.line.shared.lock().unwrap();
        if shared.is_dead {
            return Ok(());
        }
        match &mut self.connection {
            Some(connection) if !shared.is_cut => connection.try_publish(publication),
            _ => Err(Refused),
        }
    }
}
