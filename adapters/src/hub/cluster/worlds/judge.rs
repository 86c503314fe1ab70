//! What must be so in every world.

use std::collections::BTreeMap;

use super::super::super::ConnectionKey;
use super::super::effect::{Down, Effect};
use super::super::history::ResumeToken;
use super::super::id::NodeId;
use super::super::inbound::Incoming;
use super::super::presence::UserLogin;
use super::super::subject::To;
use super::world::{Kind, World};
use crate::Bytes;

/// What the judge remembers.
#[derive(Default)]
pub(super) struct Judge {
    /// How far each node is with each other.
    streams: BTreeMap<(usize, NodeId), Stream>,
    /// How many of an origin's messages it was told that a node lost.
    missed: BTreeMap<(NodeId, usize), u64>,
    /// How far each node has the members of each other that is here.
    presence: BTreeMap<(usize, NodeId), u64>,
    /// Every login, by its time.
    pub(super) logins: BTreeMap<(NodeId, ConnectionKey, u64), UserLogin>,
    pub(super) tokens: Vec<ResumeToken>,
    pub(super) is_apart: bool,
    pub(super) apart_until: u64,
}

#[derive(Debug, Default)]
struct Stream {
    /// The number of the last message.
    last: Option<u64>,
    /// Lost since.
    lost: u64,
    all_lost: u64,
    /// How many the origin had sent when it was first heard.
    sent_before: Option<u64>,
}

/// A message that says who sent it, and its number.
pub(super) struct Numbered {
    pub(super) origin: NodeId,
    pub(super) number: u64,
}

impl Numbered {
    pub(super) fn payload(&self, to: &To, size: usize) -> Bytes {
        let mut text = format!("{} {} {to} ", self.origin, self.number).into_bytes();
        text.resize(size.max(text.len()), b'.');
        text.into()
    }

    fn of(message: &Incoming) -> Self {
        let end = message.payload.iter().take(200).rposition(|byte| *byte == b' ').unwrap();
        let text = std::str::from_utf8(&message.payload[..end]).unwrap();
        let mut words = text.split(' ');
        let mut word = || words.next().unwrap();
        let numbered = Self { origin: word().parse().unwrap(), number: word().parse().unwrap() };
        assert_eq!(word(), message.to.to_string(), "it went to others");
        numbered
    }
}

impl World {
    pub(super) fn judge_effect(&mut self, index: usize, effect: &Effect) {
        match effect {
            Effect::Deliver { origin, message, .. } => {
                let numbered = Numbered::of(message);
                assert_eq!(*origin, Some(numbered.origin));
                assert_ne!(numbered.origin, self.nodes[index].node.id(), "its own");
                self.tally.delivered += 1;
                let stream = self.judge.streams.entry((index, numbered.origin)).or_default();
                let number = numbered.number;
                if let Some(last) = stream.last {
                    assert!(number > last, "{number} after {last}: doubled or out of order");
                    assert_eq!(number, last + stream.lost + 1, "{} were counted after {last}", stream.lost);
                } else if let Some(sent_before) = stream.sent_before {
                    assert!(
                        number <= sent_before + stream.lost + 1,
                        "{number} is the first, after {sent_before}"
                    );
                }
                (stream.last, stream.lost) = (Some(number), 0);
            }
            Effect::Lost { origin, count } => {
                assert!(*count > 0);
                self.tally.lost += count;
                let origin_index = self.index(*origin);
                let stream = self.judge.streams.entry((index, *origin)).or_default();
                stream.lost += count;
                stream.all_lost += count;
                let is_lossless = self.kind == Kind::Calm && !self.is_large;
                assert!(!is_lossless || !self.nodes[origin_index].is_alive, "{count} of {origin_index} lost");
            }
            Effect::Missed { by, count } => {
                let by = self.index(*by);
                *self.judge.missed.entry((self.nodes[index].node.id(), by)).or_default() += count;
            }
            Effect::Up { node, .. } => {
                let sent = self.nodes[self.index(*node)].node.sent();
                let stream = self.judge.streams.entry((index, *node)).or_default();
                stream.sent_before.get_or_insert(sent);
            }
            Effect::Down { node, why } => {
                self.judge.presence.remove(&(index, *node));
                self.judge_down(index, *node, *why);
            }
            Effect::Changed { node, .. } => {
                let now = self.nodes[index].node.presence(*node);
                let before = self.judge.presence.insert((index, *node), now).unwrap_or_default();
                // It is 0 when the node has gone, which follows.
                assert!(now >= before || now == 0, "a view went back from {before} to {now}");
            }
            Effect::Fresh => {}
            Effect::Stale { .. } => self.tally.stale += 1,
            Effect::Replaced { key, user, node, by } => {
                self.tally.replaced += 1;
                let mine = self.nodes[index].node.own()[key].login.clone().expect("a login");
                assert_eq!(mine.user, *user);
                let is_later = |((_, _, at), login): (&(NodeId, ConnectionKey, u64), &UserLogin)| {
                    let is_higher = (*at, *node) > (mine.at, self.nodes[index].node.id());
                    is_higher && login.replaces && login.user == *user
                };
                let from = (*node, *by, 0);
                let to = (*node, *by, u64::MAX);
                assert!(self.judge.logins.range(from..=to).any(is_later), "no later login");
            }
        }
    }

    /// Only one that is not heard is dead, and only for one who hears.
    fn judge_down(&mut self, index: usize, node: NodeId, why: Down) {
        let other = self.index(node);
        let (sim, other) = (&self.nodes[index], &self.nodes[other]);
        match why {
            Down::Ended => {
                self.tally.ends += 1;
                assert!(!other.is_alive, "it did not end");
            }
            Down::Dead => {
                self.tally.deaths += 1;
                let is_deaf =
                    sim.absent_since.is_some_and(|_| self.kind == Kind::Calm || self.is_long_deaf(index));
                assert!(!is_deaf, "declared dead while the node is cut off");
                let since = other.absent_until.max(self.judge.apart_until);
                let is_absent = other.absent_since.is_some() || self.judge.is_apart;
                let may_be = is_absent || self.now < since + 1200 || self.kind == Kind::Wild;
                assert!(may_be, "declared dead although it is heard");
            }
        }
    }

    /// A node that does not hear knows it within a lease and a half.
    pub(super) fn judge_stale(&self, index: usize) {
        let sim = &self.nodes[index];
        if sim.is_alive && (sim.knows_cut || self.is_long_deaf(index)) {
            assert!(sim.node.stale_since().is_some(), "cut off, and the view is fresh");
        }
    }

    /// It must have noticed: what was on its way has come, too.
    fn is_long_deaf(&self, index: usize) -> bool {
        let noticed = |since| since + 2100 + self.bus.delay;
        self.nodes[index].absent_since.is_some_and(|since| self.now > noticed(since))
    }

    /// The views of all nodes are right, now.
    pub(super) fn judge_views(&mut self) {
        self.tally.checks += 1;
        let alive = self.alive();
        for index in &alive {
            let sim = &self.nodes[*index];
            assert_eq!(sim.node.stale_since(), None, "n{index} is stale");
            let view: BTreeMap<_, _> = sim.node.others().map(|(id, _, members)| (id, members)).collect();
            let others = alive.iter().filter(|other| *other != index);
            let truth: BTreeMap<_, _> =
                others.map(|other| (self.nodes[*other].node.id(), self.nodes[*other].node.own())).collect();
            assert_eq!(view, truth, "n{index} sees something else");
        }
        self.judge_logins();
    }

    /// Of the logins that replace, at most the last is here, and none that is earlier.
    fn judge_logins(&self) {
        let here = self.alive().into_iter().flat_map(|index| {
            let node = &self.nodes[index].node;
            let logins = node.own().values().filter_map(|known| known.login.clone());
            logins
                .map(|login| (login.user.clone(), (login.at, node.id()), login.replaces))
                .collect::<Vec<_>>()
        });
        let here: Vec<_> = here.collect();
        for (user, stamp, _) in here.iter().filter(|(_, _, replaces)| *replaces) {
            let earlier = here.iter().filter(|(other, at, _)| other == user && at < stamp);
            assert_eq!(earlier.count(), 0, "{user} was replaced, and is here: {here:?}");
        }
    }

    /// What a connection is given is all that it missed, in order.
    pub(super) fn judge_resumed(&self, index: usize, token: &ResumeToken, messages: &[Incoming]) {
        let mut positions = token.positions().clone();
        for message in messages {
            let Numbered { origin, number } = Numbered::of(message);
            let position = positions.entry(origin).or_default();
            assert_eq!(number, *position + 1, "resumed from {origin}");
            *position = number;
        }
        let sim = &self.nodes[index];
        for (origin, position) in positions {
            let here = sim.node.inbound(origin).map_or(sim.node.sent(), |(applied, _)| applied);
            assert_eq!(position, here, "resumed to the end of {origin}");
        }
    }

    pub(super) fn judge_end(&mut self) {
        let alive = self.alive();
        for index in &alive {
            for origin in alive.iter().filter(|origin| *origin != index) {
                let id = self.nodes[*origin].node.id();
                let sent = self.nodes[*origin].node.sent();
                let (applied, lost) = self.nodes[*index].node.inbound(id).expect("it is known");
                assert_eq!(applied, sent, "n{index} has not all of n{origin}");
                let stream = self.judge.streams.remove(&(*index, id)).unwrap_or_default();
                assert_eq!(stream.all_lost, lost);
                if let Some(last) = stream.last {
                    assert_eq!(last + stream.lost, sent, "n{index} was handed less of n{origin}");
                }
                let missed = self.judge.missed.get(&(id, *index)).copied().unwrap_or_default();
                assert_eq!(missed, lost, "n{origin} was told that n{index} lost another number");
            }
        }
    }
}
