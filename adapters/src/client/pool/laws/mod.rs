//! Checks the places against a naive model: after every change of a random history both have granted the same to the
//! same requests, and the invariants hold.

mod cost;
mod model;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, prop_oneof, proptest};
use proptest::test_runner::RngSeed;

use model::{Granted, Model};

use super::PoolLimits;
use super::number::Number;
use super::places::{Counted, Effects, Grant, Places};
use crate::client::Origin;

/// A change of a pool. A number picks one of those that exist.
#[derive(Clone, Copy, Debug)]
enum Op {
    Ask(u8),
    Quit(u8),
    Look(u8),
    GiveBack(u8),
    Close(u8),
    Renew(u8),
    /// The server ends a connection, idle or in use.
    Die(u8),
    /// The socket of a connection that was told to close is closed.
    Leave(u8),
}

/// A connection. When dropped, it closes and reports its name.
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

/// Both, and the requests that hold something of them.
struct World {
    places: Places<Conn>,
    model: Model,
    origins: Vec<Origin>,
    told: Arc<Mutex<Vec<usize>>>,
    /// The numbers by which the places know the names.
    ids: BTreeMap<usize, Number>,
    /// The waiting requests: the number of the arrival, the ticket, and the waker.
    waits: Vec<(usize, Number, Arc<Woken>)>,
    held: Vec<Conn>,
    /// Connections whose sockets are closing.
    closing: Vec<usize>,
    arrivals: usize,
    names: usize,
}

impl World {
    fn new(limits: &PoolLimits, origins: u16) -> Self {
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
            origins: (1..=origins).map(|port| Origin::http("a", port)).collect(),
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

    /// Notes that connections that were dropped are closing.
    fn hear(&mut self) {
        let told = std::mem::take(&mut *self.told.lock().unwrap());
        self.closing.extend(told.into_iter().filter(|name| self.ids.contains_key(name)));
    }

    /// Checks that both have granted the same.
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
                let id = self.ids.get(&conn.name).copied().unwrap_or(Number::ZERO);
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
                let id = self.ids.get(&conn.name).copied().unwrap_or(Number::ZERO);
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
        self.places.check();
        let waiting = self.model.line.len() + self.model.renewing.len();
        let (taken, idle) = (self.model.taken.len(), self.model.idle.len());
        assert_eq!(self.places.counted(), Counted { taken, idle, waiting });
        // The limits, counted at the sockets.
        assert!(taken <= self.model.most && self.ids.len() <= taken);
        assert!((0..self.origins.len()).all(|origin| self.model.at(origin) <= self.model.per_origin));
        assert!(idle <= self.model.idle_most);
        // A request that was granted something was woken once, and no other was.
        for (arrival, _, woken) in &self.waits {
            let is_granted = self.model.granted.contains_key(arrival);
            assert_eq!(woken.0.load(Ordering::Relaxed), usize::from(is_granted));
        }
        // No request waits that could be served.
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
        6 => proptest::num::u8::ANY.prop_map(Op::Ask),
        1 => proptest::num::u8::ANY.prop_map(Op::Quit),
        3 => proptest::num::u8::ANY.prop_map(Op::Look),
        4 => proptest::num::u8::ANY.prop_map(Op::GiveBack),
        1 => proptest::num::u8::ANY.prop_map(Op::Close),
        1 => proptest::num::u8::ANY.prop_map(Op::Renew),
        1 => proptest::num::u8::ANY.prop_map(Op::Die),
        3 => proptest::num::u8::ANY.prop_map(Op::Leave),
    ];
    vec(op, 0..160)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn places_are_granted_as_the_model_says(
        (connections, per_origin, idle, idle_per_origin) in (1..8usize, 1..5usize, 0..7usize, 0..4usize),
        origins in 1..8u16,
        ops in ops(),
    ) {
        let limits = PoolLimits { connections, per_origin, idle, idle_per_origin, ..PoolLimits::default() };
        let mut world = World::new(&limits, origins);
        for op in ops {
            world.apply(op);
            world.check();
        }
        // Every request is served once connections come back, and then nothing is left.
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
