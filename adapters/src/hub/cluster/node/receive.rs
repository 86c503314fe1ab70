//! What a node makes of what arrives.

use std::sync::Arc;
use std::time::Instant;

use super::super::control::{Control, Lease};
use super::super::effect::Effect;
use super::super::header::Header;
use super::super::id::NodeId;
use super::super::inbound::Incoming;
use super::super::subject::{Subject, To};
use super::flush::SnapshotFor;
use super::peer::PeerState;
use super::{Node, before, foreign};
use crate::Bytes;

impl Node {
    /// Something arrived from the bus: the subject is without the prefix of the application. What is unreadable is
    /// ignored.
    pub(in crate::hub) fn received(
        &mut self,
        subject: &str,
        header: Option<&str>,
        payload: Bytes,
        now: Instant,
    ) {
        match (Subject::parse(subject), header) {
            (Ok(Subject::Message(to)), None) => {
                let message = foreign(to, payload);
                self.effects.push_back(Effect::Deliver { origin: None, message, place: None });
            }
            (Ok(Subject::Message(to)), Some(header)) => {
                if let Ok(header) = header.parse() {
                    self.message(to, header, payload, now);
                }
            }
            (Ok(subject), _) => {
                let is_for_us = match subject {
                    Subject::Node(node) => node == self.id,
                    Subject::Lease | Subject::Presence | Subject::Message(_) => true,
                };
                if let Some((node, control)) = Control::read(&payload).filter(|_| is_for_us) {
                    self.control(node, control, now);
                }
            }
            (Err(_), _) => {}
        }
        self.settle(now);
    }

    fn message(&mut self, to: To, header: Header, payload: Bytes, now: Instant) {
        let Header { node, seq, kind, policy } = header;
        // The sender's own members had it from the sender.
        if node == self.id {
            return;
        }
        let known = self.know(node, before(seq), now);
        let Some(peer) = known.and_then(|()| self.peers.get_mut(&node)) else { return };
        peer.heard = now;
        let message = Incoming { to, kind, payload, policy };
        peer.inbound.message(seq, message, now, &mut self.applied);
        self.apply(node, now);
        if let Some(since) = self.link.hears_since() {
            self.tick_peer(node, since, now);
        }
    }

    fn control(&mut self, node: NodeId, control: Control, now: Instant) {
        if node == self.id {
            let epoch = match control {
                Control::Barrier { epoch } => epoch,
                Control::Lease(lease) => lease.epoch,
                _ => return,
            };
            if self.link.heard_self(epoch, now) {
                self.lease_at = now;
            }
            return;
        }
        match control {
            Control::Barrier { .. } => {}
            Control::Lease(lease) => self.lease(node, lease, now),
            Control::AskMessages { from, to } => {
                self.ring.trim(now);
                let first = self.ring.first();
                if from < first {
                    self.ask(node, &Control::Forgotten { before: first });
                }
                self.ring.again(from, to, now);
            }
            Control::AskMembers {} => self.snapshot_for(node),
            Control::Forgotten { before } => {
                let Some(peer) = self.peers.get_mut(&node) else { return };
                peer.inbound.forgotten(before, now, &mut self.applied);
                self.apply(node, now);
            }
            Control::Changes { n, changes } => {
                let mut out = Vec::new();
                let Some(peer) = self.alive(node) else { return };
                peer.heard = now;
                peer.roster.changes(n, changes, now, &mut out);
                self.changed(node, out);
            }
            Control::Members { n, part, parts, members } => {
                let mut out = Vec::new();
                let Some(peer) = self.alive(node) else { return };
                peer.heard = now;
                peer.roster.piece((n, part, parts), members, now, &mut out);
                self.changed(node, out);
            }
        }
        self.tick(now);
    }

    fn alive(&mut self, node: NodeId) -> Option<&mut super::Peer> {
        self.peers.get_mut(&node).filter(|peer| peer.state == PeerState::Alive)
    }

    fn snapshot_for(&mut self, node: NodeId) {
        self.tell_changes();
        let (n, pieces) = self.own.snapshot();
        let is_same = |other: &SnapshotFor| other.node == node && other.n == n;
        if !self.snapshots.iter().any(is_same) {
            // An older one would be refused.
            self.snapshots.retain(|other| other.node != node);
            self.snapshots.push_back(SnapshotFor { node, n, pieces, next: 0 });
        }
    }

    fn lease(&mut self, node: NodeId, lease: Lease, now: Instant) {
        let (mine, epoch, in_doubt) = (self.id, self.link.epoch(), self.in_doubt);
        let hears = self.link.hears_since().is_some();
        let known = self.know(node, lease.seq, now);
        let Some(peer) = known.and_then(|()| self.peers.get_mut(&node)) else { return };
        if lease.beat <= peer.beat || peer.state == PeerState::Ended {
            return;
        }
        let was = peer.state;
        let is_new = was != PeerState::Alive || peer.epoch != lease.epoch;
        (peer.heard, peer.leased, peer.beat, peer.epoch) = (now, Some(now), lease.beat, lease.epoch);
        peer.inbound.ahead(lease.seq, now, &mut self.applied);
        let (has, lost) = lease.have.get(&mine).copied().unwrap_or((in_doubt, peer.missed));
        let count = lost.saturating_sub(peer.missed);
        peer.missed = peer.missed.max(lost);
        if count > 0 {
            self.effects.push_back(Effect::Missed { by: node, count });
        }
        self.claims.saw(lease.lamport);
        if lease.bye {
            return self.down(node, PeerState::Ended, now);
        }
        peer.state = PeerState::Alive;
        peer.roster.ahead(lease.presence, now);
        if was != PeerState::Alive {
            peer.name = lease.name.into();
            let name = Arc::clone(&peer.name);
            self.effects.push_back(Effect::Up { node, name });
        }
        if hears && peer.caught_up_in != epoch {
            peer.caught_up_in = epoch;
            self.ring.trim(now);
            self.ring.again(has.saturating_add(1), in_doubt, now);
        }
        if hears {
            self.link.heard_other();
        }
        if is_new {
            self.lease_at = now;
        }
        self.apply(node, now);
    }
}
