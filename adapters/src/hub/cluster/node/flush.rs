//! What a node gives to the bus, in which order.

use std::sync::Arc;
use std::time::Instant;

use super::super::backplane::{Publication, Refused};
use super::super::bounds::{CHANGES, LEASE_EVERY, NODES};
use super::super::control::{Control, Lease};
use super::super::id::NodeId;
use super::super::subject::Subject;
use super::peer::{Peer, PeerState};
use super::{Leaving, Node};
use crate::Bytes;

/// A control message to one node.
#[derive(Debug)]
pub(super) struct Outgoing {
    subject: String,
    payload: Bytes,
}

/// A snapshot on its way to a node.
#[derive(Debug)]
pub(super) struct SnapshotFor {
    pub(super) node: NodeId,
    pub(super) n: u64,
    pub(super) pieces: Arc<[Bytes]>,
    pub(super) next: usize,
}

impl Node {
    /// Gives the bus what is due, until it refuses. What it refuses is kept for the next time.
    ///
    /// Messages and changes go before the lease, which says how far they are: on a bus that keeps the order of a publisher,
    /// no node misses what it is just about to get.
    pub(in crate::hub) fn flush(
        &mut self,
        now: Instant,
        mut publish: impl FnMut(Publication<'_>) -> Result<(), Refused>,
    ) {
        _ = self.try_flush(now, &mut publish);
    }

    fn try_flush(
        &mut self,
        now: Instant,
        publish: &mut dyn FnMut(Publication<'_>) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        if self.link.barrier_is_due(now) {
            let barrier = Control::Barrier { epoch: self.link.epoch() }.write(self.id);
            send(publish, &Subject::Node(self.id), &barrier)?;
            self.link.barrier_sent(now);
        }
        if !self.link.is_up() || self.leaving == Leaving::Said {
            return Ok(());
        }
        while let Some(Outgoing { subject, payload }) = self.asks.front() {
            publish(Publication { subject, header: None, payload })?;
            self.asks.pop_front();
        }
        while let Some((number, sent)) = self.ring.next(self.link.speaks()) {
            let header = Some(&*sent.header);
            publish(Publication { subject: &sent.subject, header, payload: &sent.payload })?;
            self.ring.taken(number, now);
        }
        if self.leaving == Leaving::Due {
            self.tell_changes();
        }
        while let Some(changes) = self.changes.front() {
            send(publish, &Subject::Presence, changes)?;
            self.changes.pop_front();
        }
        if self.lease_at <= now || self.leaving == Leaving::Due {
            self.ring.trim(now);
            let lease = self.lease_now(now).write(self.id);
            send(publish, &Subject::Lease, &lease)?;
            self.beat += 1;
            self.lease_at = now + LEASE_EVERY;
            if self.leaving == Leaving::Due {
                self.leaving = Leaving::Said;
            }
        }
        while let Some(SnapshotFor { node, pieces, next, .. }) = self.snapshots.front_mut() {
            while let Some(piece) = pieces.get(*next) {
                send(publish, &Subject::Node(*node), piece)?;
                *next += 1;
            }
            self.snapshots.pop_front();
            if self.snapshots.is_empty() {
                self.own.forget_snapshot();
            }
        }
        Ok(())
    }

    fn lease_now(&self, now: Instant) -> Control {
        let recent = self.recent(super::KEPT_FOR * 2, now);
        let have = |(node, peer): (&NodeId, &Peer)| {
            let is_told = recent.contains(node) && peer.state != PeerState::Ended;
            is_told.then(|| (*node, (peer.inbound.applied(), peer.inbound.lost())))
        };
        Control::Lease(Lease {
            name: self.name.to_string(),
            epoch: self.link.epoch(),
            beat: self.beat + 1,
            seq: self.ring.published(),
            presence: self.own.n(),
            lamport: self.claims.clock(),
            have: self.peers.iter().filter_map(have).collect(),
            bye: self.leaving == Leaving::Due,
        })
    }

    /// Asks or tells one node something.
    pub(super) fn ask(&mut self, node: NodeId, control: &Control) {
        if self.link.is_up() && self.asks.len() < NODES {
            let (subject, payload) = (Subject::Node(node).to_string(), control.write(self.id));
            self.asks.push_back(Outgoing { subject, payload });
        }
    }

    /// Numbers the changes of our members, and tells them if there is a bus.
    pub(super) fn tell_changes(&mut self) {
        let Some(changes) = self.own.tell() else { return };
        if !self.link.is_up() {
            return;
        }
        if self.changes.len() >= CHANGES {
            // The others ask for a snapshot.
            self.changes.clear();
        }
        self.changes.push_back(changes);
    }
}

fn send(
    publish: &mut dyn FnMut(Publication<'_>) -> Result<(), Refused>,
    subject: &Subject,
    payload: &Bytes,
) -> Result<(), Refused> {
    publish(Publication { subject: &subject.to_string(), header: None, payload })
}
