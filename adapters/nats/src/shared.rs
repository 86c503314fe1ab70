//! What the hub's task and the client's thread share.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use endwell::Bytes;
use endwell::hub::{BusEvent, Publication, Refused};
use tokio::sync::Notify;

use crate::NatsStatus;
use crate::outgoing::{Message, Outgoing};

/// The most messages that wait for the hub: 65,536, half a second of as many as NATS brings.
const WAITING: usize = 65_536;

/// The most bytes of those: 16 MiB, 64 of the largest messages.
const WAITING_BYTES: usize = 16 * 1024 * 1024;

/// What a message costs beside its content.
const COST: usize = 128;

/// The two queues, and what both sides know.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// There is something for the client to do.
    work: Notify,
    /// The hub has dropped its end.
    end: Notify,
}

#[derive(Debug, Default)]
struct State {
    link: Link,
    incoming: VecDeque<Incoming>,
    incoming_bytes: usize,
    outgoing: Outgoing,
    /// The number of the last message that the server has for certain, and of that for which it is being asked.
    confirmed: u64,
    asked: u64,
    /// The task that polls, and the one that flushes.
    poll: Option<Waker>,
    flush: Option<Waker>,
    status: NatsStatus,
}

/// Whether messages are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Link {
    #[default]
    Cut,
    /// There is a connection, with this number, of which the hub has not been told. What it publishes is for the last one.
    Untold(u64),
    Open,
}

#[derive(Debug)]
enum Incoming {
    Connected(u64),
    Cut,
    Received { subject: String, header: Option<String>, payload: Bytes },
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // What the hub calls.

    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<BusEvent> {
        let mut state = self.lock();
        let Some(event) = state.incoming.pop_front() else {
            register(&mut state.poll, cx);
            return Poll::Pending;
        };
        Poll::Ready(match event {
            Incoming::Connected(number) => {
                if state.link == Link::Untold(number) {
                    state.link = Link::Open;
                }
                BusEvent::Connected
            }
            Incoming::Cut => BusEvent::Cut,
            Incoming::Received { subject, header, payload } => {
                state.incoming_bytes -= cost(&subject, header.as_deref(), &payload);
                BusEvent::Received { subject, header, payload }
            }
        })
    }

    pub(crate) fn publish(&self, publication: Publication<'_>) -> Result<(), Refused> {
        let mut state = self.lock();
        // The event of the next connection wakes the hub.
        if state.link != Link::Open {
            return Err(Refused);
        }
        state.outgoing.push(publication)?;
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.link != Link::Open || state.confirmed >= state.outgoing.taken() {
            return Poll::Ready(());
        }
        register(&mut state.flush, cx);
        drop(state);
        self.work.notify_one();
        Poll::Pending
    }

    pub(crate) fn end(&self) {
        self.end.notify_one();
    }

    // What the client's thread calls.

    /// Waits until the hub has dropped its end.
    pub(crate) async fn ended(&self) {
        self.end.notified().await;
    }

    /// There is a connection, with a subscription.
    pub(crate) fn connected(&self) {
        let mut state = self.lock();
        state.status.is_connected = true;
        state.status.connections += 1;
        state.status.error = None;
        let number = state.status.connections;
        state.link = Link::Untold(number);
        state.incoming.push_back(Incoming::Connected(number));
        wake(state.poll.take(), state);
    }

    /// There is none any more.
    pub(crate) fn cut(&self) {
        let mut state = self.lock();
        state.status.is_connected = false;
        state.link = Link::Cut;
        // Sent on the next connection, it might come before the other nodes have subscribed.
        state.outgoing.clear();
        state.confirmed = state.outgoing.taken();
        // A connection of which the hub was not told, and which brought nothing, was none.
        match state.incoming.back() {
            Some(Incoming::Connected(_)) => _ = state.incoming.pop_back(),
            Some(Incoming::Cut | Incoming::Received { .. }) | None => state.incoming.push_back(Incoming::Cut),
        }
        let flush = state.flush.take();
        wake(state.poll.take(), state);
        flush.into_iter().for_each(Waker::wake);
    }

    /// There is no connection, or the server complains.
    pub(crate) fn failed(&self, error: String) {
        self.lock().status.error = Some(error);
    }

    /// Takes a message for the hub, or drops it if too many wait: the hub counts and asks for what it misses.
    pub(crate) fn received(&self, subject: &str, header: Option<&str>, payload: &[u8]) {
        let mut state = self.lock();
        state.status.received += 1;
        let bytes = cost(subject, header, payload);
        if state.incoming.len() >= WAITING || state.incoming_bytes + bytes > WAITING_BYTES {
            state.status.overflowed += 1;
            return;
        }
        state.incoming_bytes += bytes;
        state.incoming.push_back(Incoming::Received {
            subject: subject.into(),
            header: header.map(Into::into),
            // The client's payloads are slices of its read buffer: one that is kept would keep 64 KiB.
            payload: Bytes::copy_from_slice(payload),
        });
        wake(state.poll.take(), state);
    }

    /// Waits for the next thing to do.
    pub(crate) async fn work(&self) -> Work {
        loop {
            if let Some(work) = self.next_work() {
                return work;
            }
            self.work.notified().await;
        }
    }

    fn next_work(&self) -> Option<Work> {
        let mut state = self.lock();
        let (message, has_room) = state.outgoing.pop();
        if let Some(message) = message {
            let waker = state.poll.take_if(|_| has_room);
            wake(waker, state);
            return Some(Work::Send(message));
        }
        let taken = state.outgoing.taken();
        let is_due = state.flush.is_some() && state.confirmed.max(state.asked) < taken;
        is_due.then(|| {
            state.asked = taken;
            Work::Barrier(taken)
        })
    }

    /// A message was given to the client.
    pub(crate) fn sent(&self) {
        self.lock().status.sent += 1;
    }

    /// The client can never send a message.
    pub(crate) fn unsendable(&self, error: String) {
        let mut state = self.lock();
        state.status.unsendable += 1;
        state.status.error = Some(error);
    }

    /// The server has everything up to a message.
    pub(crate) fn confirmed(&self, number: u64) {
        let mut state = self.lock();
        state.confirmed = number;
        wake(state.flush.take(), state);
    }

    pub(crate) fn status(&self) -> NatsStatus {
        self.lock().status.clone()
    }
}

/// What the client has to do.
#[derive(Debug)]
pub(crate) enum Work {
    Send(Message),
    /// To ask whether the server has everything up to a message.
    Barrier(u64),
}

fn cost(subject: &str, header: Option<&str>, payload: &[u8]) -> usize {
    COST + subject.len() + header.map_or(0, str::len) + payload.len()
}

fn register(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *waker = Some(cx.waker().clone()),
    }
}

/// Wakes a task after the lock is released.
fn wake(waker: Option<Waker>, state: MutexGuard<'_, State>) {
    drop(state);
    waker.into_iter().for_each(Waker::wake);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    fn poll(shared: &Shared) -> Poll<BusEvent> {
        shared.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn publish(shared: &Shared) -> Result<(), Refused> {
        shared.publish(Publication { subject: "m.all", header: None, payload: &Bytes::new() })
    }

    fn waits(shared: &Shared) -> usize {
        std::iter::from_fn(|| shared.next_work()).count()
    }

    #[test]
    fn messages_are_taken_from_the_moment_at_which_the_hub_knows_of_the_connection() {
        let shared = Shared::default();
        assert_eq!(publish(&shared), Err(Refused));
        shared.connected();
        shared.received("m.all", None, b"x");
        assert_eq!(publish(&shared), Err(Refused));
        assert_eq!(poll(&shared), Poll::Ready(BusEvent::Connected));
        assert_eq!(publish(&shared), Ok(()));
        assert_eq!(waits(&shared), 1);
    }

    #[test]
    fn being_told_of_an_earlier_connection_is_not_enough() {
        let shared = Shared::default();
        shared.connected();
        shared.received("m.all", None, b"x");
        shared.cut();
        shared.connected();
        assert_eq!(poll(&shared), Poll::Ready(BusEvent::Connected));
        assert_eq!(publish(&shared), Err(Refused));
        assert!(matches!(poll(&shared), Poll::Ready(BusEvent::Received { .. })));
        assert_eq!(poll(&shared), Poll::Ready(BusEvent::Cut));
        assert_eq!(publish(&shared), Err(Refused));
        assert_eq!(poll(&shared), Poll::Ready(BusEvent::Connected));
        assert_eq!(publish(&shared), Ok(()));
    }

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_hub_that_was_refused_is_woken_when_there_is_room() {
        let shared = Shared::default();
        shared.connected();
        assert!(poll(&shared).is_ready());
        while publish(&shared).is_ok() {}
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        assert!(shared.poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(matches!(shared.next_work(), Some(Work::Send(_))));
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        waits(&shared);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_waits_at_a_cut_is_dropped() {
        let shared = Shared::default();
        shared.connected();
        assert!(poll(&shared).is_ready());
        assert_eq!(publish(&shared), Ok(()));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(shared.poll_flush(&mut cx).is_pending());
        shared.cut();
        assert!(shared.poll_flush(&mut cx).is_ready());
        shared.connected();
        while poll(&shared).is_ready() {}
        assert!(shared.poll_flush(&mut cx).is_ready());
        assert_eq!(waits(&shared), 0);
    }

    #[test]
    fn connections_of_which_the_hub_was_never_told_leave_nothing() {
        let shared = Shared::default();
        for _ in 0..1000 {
            shared.connected();
            shared.cut();
        }
        assert_eq!(poll(&shared), Poll::Pending);
        shared.connected();
        assert_eq!(poll(&shared), Poll::Ready(BusEvent::Connected));
        for _ in 0..1000 {
            shared.cut();
            shared.connected();
        }
        // One cut stays: the hub must know.
        assert_eq!(poll(&shared), Poll::Ready(BusEvent::Cut));
        assert_eq!(poll(&shared), Poll::Ready(BusEvent::Connected));
        assert_eq!(poll(&shared), Poll::Pending);
    }
}
