//! What happens in a hub, as events that are numbered.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::Bytes;

use super::ConnectionKey;

/// Something that happened in a [`Hub`](super::Hub). Each connection has exactly one [`Joined`](Self::Joined), and later
/// exactly one [`Left`](Self::Left). The connections of other nodes are among them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HubEvent {
    /// A connection joined.
    Joined {
        /// The connection.
        key: ConnectionKey,
    },
    /// A connection logged in as a user.
    LoggedIn {
        /// The connection.
        key: ConnectionKey,
        /// The user.
        user: Arc<str>,
        /// The connections that the user has now. 1: the user was not here before.
        connections: usize,
    },
    /// A connection is no longer that of its user: it left, or logged in as another.
    LoggedOut {
        /// The connection.
        key: ConnectionKey,
        /// The user.
        user: Arc<str>,
        /// The connections that the user still has. 0: the user is no longer here.
        connections: usize,
    },
    /// A connection subscribed to a topic. Only with [`HubConfig::topic_events`](super::HubConfig::topic_events).
    Subscribed {
        /// The connection.
        key: ConnectionKey,
        /// The topic.
        topic: Arc<str>,
    },
    /// A connection is no longer subscribed to a topic: it unsubscribed, or left. Only with
    /// [`HubConfig::topic_events`](super::HubConfig::topic_events).
    Unsubscribed {
        /// The connection.
        key: ConnectionKey,
        /// The topic.
        topic: Arc<str>,
    },
    /// The metadata of a connection was set.
    MetaSet {
        /// The connection.
        key: ConnectionKey,
        /// The metadata.
        meta: Bytes,
    },
    /// A connection left.
    Left {
        /// The connection.
        key: ConnectionKey,
        /// Why.
        departure: Departure,
    },
    /// Another node is here. Its connections follow.
    NodeUp {
        /// What people call the node: [`HubConfig::node`](super::HubConfig::node).
        node: Arc<str>,
    },
    /// Another node has gone, and its connections have left.
    NodeDown {
        /// The node.
        node: Arc<str>,
        /// Whether it said that it ends. Otherwise it was not heard for 3.5 s, or this node has left the bus.
        said_so: bool,
    },
    /// This node does not hear the others. What is known of them stays, but may be old:
    /// [`Hub::stale_for`](super::Hub::stale_for).
    Stale,
    /// What is known of the other nodes is right again.
    Fresh,
    /// Messages of another node did not come, and will not: the cut was longer than what is kept for it.
    Lost {
        /// The node that sent them.
        node: Arc<str>,
        /// How many, since the last time.
        count: u64,
    },
    /// Another node counted messages of this one as lost.
    Missed {
        /// The other node.
        node: Arc<str>,
        /// How many, since the last time.
        count: u64,
    },
    /// This many events were missed here: the reader was more than [`HubConfig::events`](super::HubConfig::events)
    /// behind. [`Hub::snapshot`](super::Hub::snapshot) shows what is.
    Lagged(u64),
}

/// Why a connection left a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Departure {
    /// Its [`Member`](super::Member) was dropped.
    Dropped,
    /// It ended: the peer closed or vanished, a time or a bound was met, or the program closed it.
    Ended,
    /// Its user logged in with [`Login::Replace`](super::Login::Replace) on another connection.
    Replaced {
        /// The other connection.
        by: ConnectionKey,
    },
    /// It was on another node, which does not tell why, or has gone.
    Elsewhere,
}

/// The last events, numbered. Without a reader nothing is kept.
#[derive(Debug)]
pub(super) struct EventLog {
    ring: VecDeque<HubEvent>,
    most: usize,
    /// The events so far.
    pushed: u64,
    readers: usize,
    /// The events of this change, if the hub is observed.
    observed: Option<Vec<HubEvent>>,
}

impl EventLog {
    pub(super) fn new(most: usize) -> Self {
        Self { ring: VecDeque::new(), most: most.max(1), pushed: 0, readers: 0, observed: None }
    }

    /// The number of events so far: a reader that begins here misses none from now on.
    pub(super) fn add_reader(&mut self) -> u64 {
        self.readers += 1;
        self.pushed
    }

    pub(super) fn remove_reader(&mut self) {
        self.readers = self.readers.saturating_sub(1);
        if self.readers == 0 {
            self.ring = VecDeque::new();
        }
    }

    /// Keeps the events from now on for [`take_observed`](Self::take_observed) too.
    pub(super) fn observe(&mut self) {
        self.observed = Some(Vec::new());
    }

    /// Keeps them no longer, and returns them.
    pub(super) fn take_observed(&mut self) -> Vec<HubEvent> {
        self.observed.take().unwrap_or_default()
    }

    pub(super) fn push(&mut self, event: impl FnOnce() -> HubEvent) {
        if self.readers == 0 && self.observed.is_none() {
            return;
        }
        let event = event();
        if let Some(observed) = &mut self.observed {
            observed.push(event.clone());
        }
        if self.readers == 0 {
            return;
        }
        if self.ring.len() == self.most {
            self.ring.pop_front();
        }
        self.ring.push_back(event);
        self.pushed += 1;
    }

    pub(super) fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Reads the next event behind `at`, and moves on.
    pub(super) fn read(&self, at: &mut u64) -> Option<HubEvent> {
        let kept = u64::try_from(self.ring.len()).unwrap_or(u64::MAX);
        let oldest = self.pushed.saturating_sub(kept);
        if *at < oldest {
            let missed = oldest - *at;
            *at = oldest;
            return Some(HubEvent::Lagged(missed));
        }
        let event = self.ring.get(usize::try_from(*at - oldest).ok()?)?;
        *at += 1;
        Some(event.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::Slot;
    use super::*;

    fn joined(number: u64) -> HubEvent {
        HubEvent::Joined { key: ConnectionKey::here(number, Slot::new(0)) }
    }

    #[test]
    fn a_reader_gets_each_event_or_the_number_of_those_it_missed() {
        for (most, pushed) in [(1, 5), (3, 3), (3, 4), (4, 100), (8, 0)] {
            let mut log = EventLog::new(most);
            log.push(|| unreachable!("there is no reader"));
            let mut at = log.add_reader();
            for number in 0..pushed {
                log.push(|| joined(number));
            }
            let missed = pushed.saturating_sub(u64::try_from(most).unwrap());
            let expected = (missed > 0).then_some(HubEvent::Lagged(missed)).into_iter();
            let expected: Vec<_> = expected.chain((missed..pushed).map(joined)).collect();
            let mut seen = Vec::new();
            while let Some(event) = log.read(&mut at) {
                seen.push(event);
            }
            assert_eq!(seen, expected);
            assert_eq!(log.read(&mut at), None);
            log.push(|| joined(7));
            assert_eq!(log.read(&mut at), Some(joined(7)));
        }
    }

    #[test]
    fn nothing_is_kept_once_the_last_reader_has_gone() {
        let mut log = EventLog::new(4);
        let (_, mut second) = (log.add_reader(), log.add_reader());
        log.push(|| joined(1));
        log.remove_reader();
        assert_eq!(log.read(&mut second), Some(joined(1)));
        log.remove_reader();
        assert_eq!(log.ring.capacity(), 0);
        let mut third = log.add_reader();
        assert_eq!(log.read(&mut third), None);
    }
}
