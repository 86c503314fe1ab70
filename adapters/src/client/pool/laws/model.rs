//! The rules of a pool, for the eye.

use std::collections::{BTreeMap, BTreeSet};

/// The rules, written for the eye: lists that are searched from the front.
#[derive(Default)]
pub(super) struct Model {
    pub(super) most: usize,
    pub(super) per_origin: usize,
    pub(super) idle_most: usize,
    pub(super) idle_per_origin: usize,
    /// Places by name, with their origins.
    pub(super) taken: BTreeMap<usize, usize>,
    /// Names, the one that was idle for longest first.
    pub(super) idle: Vec<usize>,
    pub(super) closing: BTreeSet<usize>,
    /// Tickets and origins, in the order of arrival.
    pub(super) line: Vec<(usize, usize)>,
    /// Who waits for the place of a connection that closes.
    pub(super) renewing: BTreeMap<usize, usize>,
    /// What was granted: a connection, or a place.
    pub(super) granted: BTreeMap<usize, Granted>,
    pub(super) places: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Granted {
    Idle(usize),
    Place(usize),
}

/// Names of places without a connection.
const PLACES: usize = 1 << 32;

impl Model {
    pub(super) fn at(&self, origin: usize) -> usize {
        self.taken.values().filter(|&&other| other == origin).count()
    }

    fn new_place(&mut self, origin: usize) -> usize {
        self.places += 1;
        self.taken.insert(PLACES + self.places, origin);
        PLACES + self.places
    }

    pub(super) fn take(&mut self, origin: usize) -> Option<Granted> {
        if let Some(index) = self.idle.iter().rposition(|name| self.taken.get(name) == Some(&origin)) {
            return Some(Granted::Idle(self.idle.remove(index)));
        }
        let has_room = self.taken.len() < self.most && self.at(origin) < self.per_origin;
        has_room.then(|| Granted::Place(self.new_place(origin)))
    }

    pub(super) fn wait(&mut self, ticket: usize, origin: usize) {
        self.line.push((ticket, origin));
        self.settle();
    }

    /// Those whose origin has room for them.
    pub(super) fn short(&self) -> Vec<usize> {
        let mut passed = BTreeMap::<usize, usize>::new();
        let mut short = Vec::new();
        for &(ticket, origin) in &self.line {
            let before = passed.entry(origin).or_default();
            if self.at(origin) + *before < self.per_origin {
                short.push(ticket);
            }
            *before += 1;
        }
        short
    }

    fn settle(&mut self) {
        while self.taken.len() < self.most {
            let found = self.line.iter().position(|&(_, origin)| self.at(origin) < self.per_origin);
            let Some(index) = found else { return };
            let (ticket, origin) = self.line.remove(index);
            let place = self.new_place(origin);
            self.granted.insert(ticket, Granted::Place(place));
        }
        while self.closing.len() < self.short().len() && !self.idle.is_empty() {
            let name = self.idle.remove(0);
            self.closing.insert(name);
        }
    }

    pub(super) fn give_back(&mut self, name: usize) {
        let Some(&origin) = self.taken.get(&name) else { return };
        let short = if self.taken.len() < self.most { Vec::new() } else { self.short() };
        let covered = &short[..self.closing.len().min(short.len())];
        let next = self.line.iter().position(|(ticket, other)| {
            *other == origin || (short.contains(ticket) && !covered.contains(ticket))
        });
        match next.map(|index| self.line[index]) {
            Some((ticket, other)) if other == origin => {
                self.line.retain(|&(waiting, _)| waiting != ticket);
                self.granted.insert(ticket, Granted::Idle(name));
            }
            Some(_) => {
                self.closing.insert(name);
            }
            None => {
                self.idle.push(name);
                let here: Vec<_> =
                    self.idle.iter().copied().filter(|name| self.taken[name] == origin).collect();
                if here.len() > self.idle_per_origin {
                    self.idle.retain(|&name| name != here[0]);
                    self.closing.insert(here[0]);
                }
                if self.idle.len() > self.idle_most {
                    let name = self.idle.remove(0);
                    self.closing.insert(name);
                }
                self.settle();
            }
        }
    }

    pub(super) fn leave(&mut self, name: usize) {
        let Some(origin) = self.taken.remove(&name) else { return };
        self.idle.retain(|&idle| idle != name);
        self.closing.remove(&name);
        let heir = self.granted.iter().find(|(_, granted)| **granted == Granted::Idle(name));
        let heir = heir.map(|(&ticket, _)| ticket).or(self.renewing.remove(&name));
        if let Some(ticket) = heir {
            let place = self.new_place(origin);
            self.granted.insert(ticket, Granted::Place(place));
        }
        self.settle();
    }

    pub(super) fn quit(&mut self, ticket: usize) {
        self.line.retain(|&(waiting, _)| waiting != ticket);
        let renewed = self.renewing.iter().find(|&(_, &waiting)| waiting == ticket).map(|(&name, _)| name);
        if let Some(name) = renewed {
            self.renewing.remove(&name);
            self.closing.insert(name);
            return;
        }
        match self.granted.remove(&ticket) {
            Some(Granted::Idle(name)) => self.give_back(name),
            Some(Granted::Place(name)) => self.leave(name),
            None => {}
        }
    }
}
