//! A bus without a network: several hubs in one process.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use slab::Slab;

use super::backplane::{Backplane, BusEvent, Publication, Refused};
use crate::sync::{Lock, Woken};

/// The most messages that wait for one node: 4,096, as many as a ring keeps. A node for which more wait has to ask for
/// those that it missed.
const WAITING: usize = 4096;

/// A bus without a network: hubs of one process share it. A clone is the same bus.
///
/// It carries everything in order and loses nothing, unless 4,096 messages wait for a node: then that node misses the
/// next, and asks for them again.
#[derive(Clone)]
pub struct InProcessBus {
    nodes: Arc<Lock<Slab<Waiting>>>,
}

/// What waits for a node.
#[derive(Default)]
struct Waiting {
    events: VecDeque<BusEvent>,
    waker: Option<Waker>,
}

/// A node's connection to an [`InProcessBus`]. Dropping it ends the subscription.
pub struct InProcessConnection {
    bus: InProcessBus,
    slot: usize,
}

impl InProcessBus {
    /// Makes a bus without nodes.
    pub fn new() -> Self {
        Self { nodes: Arc::new(Lock::new(Slab::new())) }
    }

    /// Connects a node.
    pub fn connect(&self) -> InProcessConnection {
        let events = VecDeque::from([BusEvent::Connected]);
        let slot = self.nodes.lock().insert(Waiting { events, waker: None });
        InProcessConnection { bus: self.clone(), slot }
    }
}

impl Default for InProcessBus {
    fn default() -> Self {
        Self::new()
    }
}

impl Backplane for InProcessConnection {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BusEvent> {
        let mut woken = Woken::default();
        let mut nodes = self.bus.nodes.lock();
        let Some(waiting) = nodes.get_mut(self.slot) else { return Poll::Pending };
        if let Some(event) = waiting.events.pop_front() {
            return Poll::Ready(event);
        }
        woken.register(&mut waiting.waker, cx.waker());
        Poll::Pending
    }

    fn try_publish(&mut self, publication: Publication<'_>) -> Result<(), Refused> {
        let mut woken = Woken::default();
        let mut nodes = self.bus.nodes.lock();
        for (_, waiting) in nodes.iter_mut().filter(|(_, waiting)| waiting.events.len() < WAITING) {
            waiting.events.push_back(BusEvent::Received {
                subject: publication.subject.into(),
                header: publication.header.map(Into::into),
                payload: publication.payload.clone(),
            });
            woken.take(&mut waiting.waker);
        }
        Ok(())
    }
}

impl Drop for InProcessConnection {
    fn drop(&mut self) {
        let waiting = self.bus.nodes.lock().try_remove(self.slot);
        drop(waiting);
    }
}

impl fmt::Debug for InProcessBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessBus").finish_non_exhaustive()
    }
}

impl fmt::Debug for InProcessConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessConnection").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;
    use crate::Bytes;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn publish(node: &mut InProcessConnection, subject: &str) {
        let payload = &Bytes::from_static(b"hello");
        let publication = Publication { subject, header: None, payload };
        assert_eq!(node.try_publish(publication), Ok(()));
    }

    #[test]
    fn each_node_gets_what_any_publishes_while_it_is_connected() {
        let bus = InProcessBus::new();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let mut nodes = [bus.connect(), bus.connect()];
        for node in &mut nodes {
            assert_eq!(node.poll(&mut cx), Poll::Ready(BusEvent::Connected));
            assert_eq!(node.poll(&mut cx), Poll::Pending);
        }
        publish(&mut nodes[0], "m.all");
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        for node in &mut nodes {
            let Poll::Ready(BusEvent::Received { subject, .. }) = node.poll(&mut cx) else {
                panic!("nothing")
            };
            assert_eq!(subject, "m.all");
            assert_eq!(node.poll(&mut cx), Poll::Pending);
        }
        let [mut first, second] = nodes;
        drop(second);
        publish(&mut first, "m.all");
        assert_eq!(bus.nodes.lock().len(), 1);
        assert_eq!(count.0.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_node_that_does_not_read_holds_a_bounded_number() {
        let bus = InProcessBus::new();
        let mut node = bus.connect();
        for _ in 0..WAITING + 10 {
            publish(&mut node, "m.all");
        }
        assert_eq!(bus.nodes.lock()[0].events.len(), WAITING);
    }
}
