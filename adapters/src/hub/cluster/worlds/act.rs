//! What the members of a world's nodes do.

use std::sync::Arc;

use rand::Rng;
use rand::seq::IteratorRandom;

use super::super::super::ConnectionKey;
use super::super::header::{MessageKind, Policy};
use super::super::history::Replay;
use super::super::inbound::Incoming;
use super::super::presence::Change;
use super::super::subject::To;
use super::judge::Numbered;
use super::world::{Event, World};
use crate::hub::OnBus;

const NAMES: [&str; 3] = ["a", "b c", "ü.*"];

impl World {
    pub(super) fn act(&mut self, index: usize) {
        if !self.nodes[index].is_alive || self.now + 1500 > self.ends_at && self.ends_at > 0 {
            return;
        }
        let next = self.now + self.rng.random_range(20..900);
        self.at(next, Event::Act(index));
        let now = self.now;
        let is_still = self.still.iter().any(|(from, to)| (from..=to).contains(&&now));
        match self.rng.random_range(0..20) {
            0..10 => self.send(index),
            10 => self.resume(index),
            _ if is_still => {}
            _ => self.change_member(index),
        }
        self.step(index);
    }

    fn name(&mut self) -> Arc<str> {
        NAMES[self.rng.random_range(0..NAMES.len())].into()
    }

    fn change_member(&mut self, index: usize) {
        let now = self.time();
        let keys: Vec<_> = self.nodes[index].node.own().keys().copied().collect();
        let one = keys.iter().copied().choose(&mut self.rng);
        let Some(key) = one.filter(|_| keys.len() >= 6 || self.rng.random_range(0..3) > 0) else {
            let sim = &mut self.nodes[index];
            sim.keys += 1;
            sim.node.join(ConnectionKey::here(sim.keys, crate::hub::registry::Slot::new(0)), now);
            return;
        };
        let name = self.name();
        let change = match self.rng.random_range(0..8) {
            0..3 => return self.login(index, key, name),
            3 => Change::LoggedOut,
            4 => Change::Subscribed(name),
            5 => Change::Unsubscribed(name),
            6 => Change::MetaSet(name.as_bytes().to_vec().into()),
            _ => Change::Left,
        };
        self.nodes[index].node.change(key, change, now);
    }

    /// Logs in as a hub on one machine does: those that it replaces leave.
    fn login(&mut self, index: usize, key: ConnectionKey, user: Arc<str>) {
        let now = self.time();
        let replaces = self.rng.random_range(0..3) > 0;
        let node = &mut self.nodes[index].node;
        node.login(key, Arc::clone(&user), replaces, now);
        let login = node.own()[&key].login.clone().unwrap();
        let is_other = |other: &ConnectionKey| {
            *other != key && node.own()[other].login.as_ref().is_some_and(|login| login.user == user)
        };
        let others: Vec<_> = node.own().keys().copied().filter(|other| replaces && is_other(other)).collect();
        for other in others {
            node.change(other, Change::Left, now);
        }
        let id = node.id();
        self.judge.logins.insert((id, key, login.at), login);
    }

    fn send(&mut self, index: usize) {
        let now = self.time();
        let to = match self.rng.random_range(0..4) {
            0 => To::Everyone,
            1 => To::User(self.name()),
            2 => To::Topic(self.name()),
            _ => {
                let to = self
                    .nodes
                    .iter()
                    .choose(&mut self.rng)
                    .map_or(self.nodes[index].node.id(), |sim| sim.node.id());
                To::Connection(
                    to,
                    ConnectionKey::here(self.rng.random_range(1..9), crate::hub::registry::Slot::new(7)),
                )
            }
        };
        let is_large = self.is_large && self.rng.random_range(0..3) == 0;
        let size = if is_large { self.rng.random_range(50_000..300_000) } else { 0 };
        let node = &mut self.nodes[index].node;
        let payload = Numbered { origin: node.id(), number: node.sent() + 1 }.payload(&to, size);
        let len = payload.len();
        let message = Incoming { to, kind: MessageKind::Text, payload, policy: Policy::DropOldest };
        let on_bus = node.send(message, now);
        assert_eq!(on_bus == OnBus::TooLarge, len > 256 * 1024);
        self.tally.sent += u64::from(on_bus != OnBus::TooLarge);
    }

    /// A connection comes to a node with a token of this one or of before.
    fn resume(&mut self, index: usize) {
        let now = self.time();
        let token = self.nodes[index].node.token(now);
        assert_eq!(token.to_string().parse().as_ref(), Ok(&token));
        self.judge.tokens.push(token);
        let Some(token) = self.judge.tokens.iter().rev().take(20).choose(&mut self.rng).cloned() else {
            return;
        };
        match self.nodes[index].node.resume(&token, |_, _| true, now) {
            Replay::Gap => self.tally.gaps += 1,
            Replay::Whole(messages) => {
                self.tally.resumed += 1;
                self.judge_resumed(index, &token, &messages);
            }
        }
    }
}
