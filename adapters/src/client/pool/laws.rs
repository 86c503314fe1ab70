//! The places against a naive model of them: after every change of a random history both have granted the same to the same,
//! and what must always hold does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, prop_oneof, proptest};
use proptest::test_runner::RngSeed;

use super::PoolLimits;
use super::places::{Counted, Effects, Grant, Places};
use crate::client::Origin;

/// What happens to a pool. A number picks one of those that there are.
#[derive(Clone, Copy, Debug)]
enum Op {
    Ask(u8),
    Quit(u8),
    Look(u8),
    GiveBack(u8),
    Close(u8),
    Renew(u8),
    /// The server ends a connection, whoever has it.
    Die(u8),
    /// The socket of a connection that was told to close is closed.
    Leave(u8),
}

/// A connection. Dropped, it closes: its name is told.
#[derive(Debug)]
struct Conn {
    name: usize,
    told: Arc<Mutex<Vec<usize>>>,
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(self.name);
    }
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The rules, written for the eye: lists that are searched from the front.
#[derive(Default)]
struct Model {
    most: usize,
    per_origin: usize,
    idle_most: usize,
    idle_per_origin: usize,
    /// Places by name, with their origins.
    taken: BTreeMap<usize, usize>,
    /// Names, the one that was idle for longest first.
    idle: Vec<usize>,
    closing: BTreeSet<usize>,
    /// Tickets and origins, in the order of arrival.
    line: Vec<(usize, usize)>,
    /// Who waits for the place of a connection that closes.
    renewing: BTreeMap<usize, usize>,
    /// What was granted: a connection, or a place.
    granted: BTreeMap<usize, Granted>,
    places: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Granted {
    Idle(usize),
    Place(usize),
}

/// Names of places without a connection.
const PLACES: usize = 1 << 32;

impl Model {
    fn at(&self, origin: usize) -> usize {
        self.taken.values().filter(|&&other| other == origin).count()
    }

    fn new_place(&mut self, origin: usize) -> usize {
        self.places += 1;
        self.taken.insert(PLACES + self.places, origin);
        PLACES + self.places
    }

    fn take(&mut self, origin: usize) -> Option<Granted> {
        if let Some(index) = self.idle.iter().rposition(|name| self.taken.get(name) == Some(&origin)) {
            return Some(Granted::Idle(self.idle.remove(index)));
        }
        let has_room = self.taken.len() < self.most && self.at(origin) < self.per_origin;
        has_room.then(|| Granted::Place(self.new_place(origin)))
    }

    fn wait(&mut self, ticket: usize, origin: usize) {
        self.line.push((ticket, origin));
        self.settle();
    }

    /// Those whose origin has room for them.
    fn short(&self) -> Vec<usize> {
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

    fn give_back(&mut self, name: usize) {
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

    fn leave(&mut self, name: usize) {
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

    fn quit(&mut self, ticket: usize) {
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

/// Both, and those who have something of them.
struct World {
    places: Places<Conn>,
    model: Model,
    origins: Vec<Origin>,
    told: Arc<Mutex<Vec<usize>>>,
    /// The numbers that the places have for names.
    ids: BTreeMap<usize, u64>,
    /// Those who wait: the number of the arrival, the ticket, and who is woken.
    waits: Vec<(usize, u64, Arc<Woken>)>,
    held: Vec<Conn>,
    /// Connections whose sockets close.
    closing: Vec<usize>,
    arrivals: usize,
    names: usize,
}

impl World {
    fn new(limits: &PoolLimits) -> Self {
        let model = Model {
            most: limits.connections,
            per_origin: limits.per_origin,
            idle_most: limits.idle,
            idle_per_origin: limits.idle_per_origin,
            ..Model::default()
        };
        Self {
            places: Places::new(limits.clone()),
            model,
            origins: (1..=3).map(|port| Origin::http("a", port)).collect(),
            told: Arc::default(),
            ids: BTreeMap::new(),
            waits: Vec::new(),
            held: Vec::new(),
            closing: Vec::new(),
            arrivals: 0,
            names: 0,
        }
    }

    fn change<R>(&mut self, change: impl FnOnce(&mut Places<Conn>, &mut Effects<Conn>) -> R) -> R {
        let mut effects = Effects::default();
        let result = change(&mut self.places, &mut effects);
        drop(effects);
        self.hear();
        result
    }

    /// Connections that were dropped close from here on.
    fn hear(&mut self) {
        let told = std::mem::take(&mut *self.told.lock().unwrap());
        self.closing.extend(told.into_iter().filter(|name| self.ids.contains_key(name)));
    }

    /// Both have granted the same.
    fn receive(&mut self, grant: Grant<Conn>, expected: Granted) {
        match (grant.idle, expected) {
            (Some(conn), Granted::Idle(name)) => {
                assert_eq!((conn.name, self.ids[&name]), (name, grant.id));
                self.held.push(conn);
            }
            // A new connection is made at once.
            (None, Granted::Place(place)) => {
                self.names += 1;
                let origin = self.model.taken.remove(&place).unwrap();
                self.model.taken.insert(self.names, origin);
                self.ids.insert(self.names, grant.id);
                self.held.push(Conn { name: self.names, told: Arc::clone(&self.told) });
            }
            (idle, expected) => panic!("{idle:?} instead of {expected:?}"),
        }
    }

    fn apply(&mut self, op: Op) {
        let pick = |which: u8, len: usize| (len > 0).then(|| usize::from(which) % len);
        match op {
            Op::Ask(which) => {
                let at = usize::from(which) % self.origins.len();
                let (origin, woken) = (self.origins[at].clone(), Arc::<Woken>::default());
                let expected = self.model.take(at);
                if let Some(grant) = self.places.take(&origin) {
                    return self.receive(grant, expected.unwrap());
                }
                assert_eq!(expected, None);
                self.arrivals += 1;
                self.model.wait(self.arrivals, at);
                let waker = Waker::from(Arc::clone(&woken));
                let ticket = self.change(|places, effects| places.wait(&origin, waker, effects));
                self.waits.push((self.arrivals, ticket, woken));
            }
            Op::Quit(which) => {
                let Some(index) = pick(which, self.waits.len()) else { return };
                let (arrival, ticket, _) = self.waits.remove(index);
                self.model.quit(arrival);
                self.change(|places, effects| places.quit(ticket, effects));
            }
            Op::Look(which) => {
                let Some(index) = pick(which, self.waits.len()) else { return };
                self.look(index);
            }
            Op::GiveBack(which) => {
                let Some(index) = pick(which, self.held.len()) else { return };
                let conn = self.held.remove(index);
                self.model.give_back(conn.name);
                let id = self.ids.get(&conn.name).copied().unwrap_or(u64::MAX);
                self.change(|places, effects| places.give_back(id, conn, effects));
            }
            Op::Close(which) => {
                let Some(index) = pick(which, self.held.len()) else { return };
                drop(self.held.remove(index));
                self.hear();
            }
            Op::Renew(which) => {
                let Some(index) = pick(which, self.held.len()) else { return };
                let conn = self.held.remove(index);
                let id = self.ids.get(&conn.name).copied().unwrap_or(u64::MAX);
                let woken = Arc::<Woken>::default();
                let waker = Waker::from(Arc::clone(&woken));
                let ticket = self.change(|places, _| places.renew(id, waker));
                assert_eq!(ticket.is_some(), self.model.taken.contains_key(&conn.name));
                if let Some(ticket) = ticket {
                    self.arrivals += 1;
                    self.model.renewing.insert(conn.name, self.arrivals);
                    self.waits.push((self.arrivals, ticket, woken));
                }
                drop(conn);
                self.hear();
            }
            Op::Die(which) => {
                let Some(index) = pick(which, self.ids.len()) else { return };
                let name = *self.ids.keys().nth(index).unwrap();
                self.leave(name);
            }
            Op::Leave(which) => {
                let Some(index) = pick(which, self.closing.len()) else { return };
                self.leave(self.closing[index]);
            }
        }
    }

    fn look(&mut self, index: usize) {
        let (arrival, ticket, woken) = self.waits[index].clone();
        let waker = Waker::from(Arc::clone(&woken));
        let grant = self.change(|places, effects| places.look(ticket, &waker, effects));
        let expected = self.model.granted.remove(&arrival);
        assert_eq!(grant.is_some(), expected.is_some());
        if let (Some(grant), Some(expected)) = (grant, expected) {
            self.waits.remove(index);
            self.receive(grant, expected);
        }
    }

    fn leave(&mut self, name: usize) {
        let id = self.ids.remove(&name).unwrap();
        self.closing.retain(|&closing| closing != name);
        self.model.leave(name);
        self.change(|places, effects| places.leave(id, effects));
    }

    fn check(&self) {
        let waiting = self.model.line.len() + self.model.renewing.len();
        let (taken, idle) = (self.model.taken.len(), self.model.idle.len());
        assert_eq!(self.places.counted(), Counted { taken, idle, waiting });
        // The bounds, counted at the sockets.
        assert!(taken <= self.model.most && self.ids.len() <= taken);
        assert!((0..self.origins.len()).all(|origin| self.model.at(origin) <= self.model.per_origin));
        assert!(idle <= self.model.idle_most);
        // Whoever was granted something was woken once, and nobody else was.
        for (arrival, _, woken) in &self.waits {
            let is_granted = self.model.granted.contains_key(arrival);
            assert_eq!(woken.0.load(Ordering::Relaxed), usize::from(is_granted));
        }
        // Nobody waits who could be served.
        for &(_, origin) in &self.model.line {
            assert!(taken == self.model.most || self.model.at(origin) == self.model.per_origin);
            assert!(self.model.idle.iter().all(|name| self.model.taken[name] != origin));
        }
        let is_covered = self.model.closing.len() >= self.model.short().len();
        assert!(is_covered || idle == 0);
    }
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        6 => (0..3u8).prop_map(Op::Ask),
        1 => proptest::num::u8::ANY.prop_map(Op::Quit),
        3 => proptest::num::u8::ANY.prop_map(Op::Look),
        4 => proptest::num::u8::ANY.prop_map(Op::GiveBack),
        1 => proptest::num::u8::ANY.prop_map(Op::Close),
        1 => proptest::num::u8::ANY.prop_map(Op::Renew),
        1 => proptest::num::u8::ANY.prop_map(Op::Die),
        3 => proptest::num::u8::ANY.prop_map(Op::Leave),
    ];
    vec(op, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn places_are_granted_as_the_model_says(
        (connections, per_origin, idle, idle_per_origin) in (1..6usize, 1..4usize, 0..5usize, 0..3usize),
        ops in ops(),
    ) {
        let limits = PoolLimits { connections, per_origin, idle, idle_per_origin, ..PoolLimits::default() };
        let mut world = World::new(&limits);
        for op in ops {
            world.apply(op);
            world.check();
        }
        // Everybody is served once connections come back, and then nothing is left.
        while !world.waits.is_empty() {
            while !world.held.is_empty() {
                world.apply(Op::GiveBack(0));
            }
            while !world.closing.is_empty() {
                world.apply(Op::Leave(0));
            }
            world.check();
            let before = world.waits.len();
            for index in (0..before).rev() {
                world.look(index);
            }
            assert!(world.waits.len() < before, "somebody waits for ever");
        }
        while let Some(&name) = world.ids.keys().next() {
            world.leave(name);
        }
        world.held.clear();
        assert_eq!(world.places.counted(), Counted { taken: 0, idle: 0, waiting: 0 });
        assert!(world.places.is_blank());
    }
}
