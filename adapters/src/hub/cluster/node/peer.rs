//! What a node knows of another one.

use std::sync::Arc;
use std::time::Instant;

use super::super::inbound::Inbound;
use super::super::presence::Roster;

/// Another node: how far its messages and its members are here, and when it was heard.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) name: Arc<str>,
    pub(super) state: PeerState,
    /// When anything of it was heard.
    pub(super) heard: Instant,
    /// When its last lease was heard.
    pub(super) leased: Option<Instant>,
    pub(super) epoch: u64,
    pub(super) beat: u64,
    pub(super) inbound: Inbound,
    pub(super) roster: Roster,
    /// How many of our messages it had lost when it last said so.
    pub(super) missed: u64,
    /// The connection of ours on which it got again what it had not.
    pub(super) caught_up_in: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerState {
    /// No lease of it has come yet.
    Unknown,
    Alive,
    Dead,
    /// It said that it ends.
    Ended,
}

impl Peer {
    pub(super) fn new(after: u64, now: Instant) -> Self {
        Self {
            name: "".into(),
            state: PeerState::Unknown,
            heard: now,
            leased: None,
            epoch: 0,
            beat: 0,
            inbound: Inbound::after(after),
            roster: Roster::default(),
            missed: 0,
            caught_up_in: 0,
        }
    }
}
