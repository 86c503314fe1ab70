//! A world: its clock, its nodes, and what happens next.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::backplane::Refused;
use super::super::control::Control;
use super::super::effect::Effect;
use super::super::header::Header;
use super::super::id::NodeId;
use super::super::node::Node;
use super::bus::{Bus, Connection, Parcel};
use super::judge::Judge;
use super::plan::Fault;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Calm,
    Wild,
}

/// What was met.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) worlds: u64,
    pub(super) sent: u64,
    pub(super) delivered: u64,
    pub(super) lost: u64,
    pub(super) again: u64,
    pub(super) again_in_vain: u64,
    pub(super) deaths: u64,
    pub(super) ends: u64,
    pub(super) stale: u64,
    pub(super) replaced: u64,
    pub(super) resumed: u64,
    pub(super) gaps: u64,
    pub(super) checks: u64,
}

impl Tally {
    /// Everything was met often enough.
    pub(super) fn reaches(&self) {
        let Self { sent, delivered, again, deaths, ends, stale, replaced, resumed, gaps, checks, .. } = *self;
        let met = [sent, delivered, again, deaths, ends, stale, replaced, resumed, gaps, checks];
        assert!(met.iter().all(|count| *count >= 30), "{self:?}");
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.worlds += other.worlds;
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.again += other.again;
        self.again_in_vain += other.again_in_vain;
        self.deaths += other.deaths;
        self.ends += other.ends;
        self.stale += other.stale;
        self.replaced += other.replaced;
        self.resumed += other.resumed;
        self.gaps += other.gaps;
        self.checks += other.checks;
    }
}

/// A node in a world. One that starts again is another.
pub(super) struct Sim {
    pub(super) node: Node,
    pub(super) is_alive: bool,
    pub(super) connection: Connection,
    /// Whether the node knows that it is cut off.
    pub(super) knows_cut: bool,
    /// Since when it has not heard the bus, if it does not.
    pub(super) absent_since: Option<u64>,
    /// Until when it was not heard, last.
    pub(super) absent_until: u64,
    pub(super) keys: u64,
    /// How many of its messages the bus has had.
    pub(super) published: u64,
    /// The next tick that is scheduled.
    tick_at: Option<u64>,
}

#[derive(Debug)]
pub(super) enum Event {
    Arrive { to: usize, connection: u64, parcel: Parcel },
    Tick(usize),
    NoticeCut(usize, u64),
    Connect(usize),
    Subscribed(usize, u64),
    Thaw,
    Act(usize),
    Fault(Fault),
    Check,
}

pub(super) struct World {
    pub(super) kind: Kind,
    pub(super) rng: StdRng,
    start: Instant,
    pub(super) now: u64,
    events: BTreeMap<(u64, u64), Event>,
    scheduled: u64,
    pub(super) nodes: Vec<Sim>,
    pub(super) bus: Bus,
    pub(super) judge: Judge,
    /// Times in which the members stay as they are, so that they can be compared.
    pub(super) still: Vec<(u64, u64)>,
    pub(super) ends_at: u64,
    /// Whether messages may be large, so that a ring overflows.
    pub(super) is_large: bool,
    pub(super) tally: Tally,
    is_traced: bool,
}

impl World {
    pub(super) fn run(seed: u64, kind: Kind) -> Tally {
        let mut rng = StdRng::seed_from_u64(seed);
        let bus = Bus::new(kind, &mut rng);
        let is_large = rng.random_range(0..10) == 0;
        let mut world = Self {
            kind,
            rng,
            start: Instant::now(),
            now: 0,
            events: BTreeMap::new(),
            scheduled: 0,
            nodes: Vec::new(),
            bus,
            judge: Judge::default(),
            still: Vec::new(),
            ends_at: 0,
            is_large,
            tally: Tally { worlds: 1, ..Tally::default() },
            is_traced: std::env::var_os("SEED").is_some(),
        };
        for _ in 0..world.rng.random_range(2..=5) {
            world.start_node();
        }
        world.plan();
        while let Some(((at, _), event)) = world.events.pop_first() {
            world.now = at;
            world.happen(event);
        }
        world.judge_end();
        world.tally
    }

    pub(super) fn trace(&self, what: impl FnOnce() -> String) {
        if self.is_traced {
            println!("{:>7} {}", self.now, what());
        }
    }

    pub(super) fn time(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    pub(super) fn at(&mut self, time: u64, event: Event) {
        self.scheduled += 1;
        self.events.insert((time.max(self.now), self.scheduled), event);
    }

    pub(super) fn index(&self, id: NodeId) -> usize {
        self.nodes.iter().position(|sim| sim.node.id() == id).expect("a node of this world")
    }

    pub(super) fn start_node(&mut self) {
        let index = self.nodes.len();
        let id = NodeId::new(self.rng.random());
        let now = self.time();
        let part = self.rng.random_range(0..2);
        self.nodes.push(Sim {
            node: Node::new(id, &format!("n{index}"), now),
            is_alive: true,
            connection: Connection { part, ..Connection::default() },
            knows_cut: true,
            absent_since: Some(self.now),
            absent_until: 0,
            keys: 0,
            published: 0,
            tick_at: None,
        });
        self.trace(|| format!("n{index} starts as {id}"));
        let connects = self.now + self.rng.random_range(0..1000);
        self.at(connects, Event::Connect(index));
        self.at(self.now, Event::Act(index));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { to, connection, parcel } => {
                let now = self.time();
                let sim = &mut self.nodes[to];
                let is_heard = sim.connection.is_up && sim.connection.number == connection;
                if sim.is_alive && is_heard {
                    let header = parcel.header.as_deref();
                    sim.node.received(&parcel.subject, header, parcel.payload, now);
                    self.step(to);
                }
            }
            Event::Tick(index) => {
                self.nodes[index].tick_at = None;
                if self.nodes[index].is_alive {
                    let now = self.time();
                    self.nodes[index].node.tick(now);
                    self.step(index);
                }
            }
            Event::NoticeCut(index, connection) => {
                let now = self.time();
                let sim = &mut self.nodes[index];
                if sim.is_alive && !sim.knows_cut && sim.connection.number == connection {
                    sim.knows_cut = true;
                    sim.node.cut(now);
                    self.trace(|| format!("n{index} is told that it is cut off"));
                    self.step(index);
                }
            }
            Event::Connect(index) => self.connect(index),
            Event::Subscribed(index, connection) => {
                let sim = &mut self.nodes[index];
                if sim.is_alive && sim.connection.is_up && sim.connection.number == connection {
                    sim.absent_since = None;
                    sim.absent_until = self.now;
                }
            }
            Event::Thaw => {
                for index in 0..self.nodes.len() {
                    let sim = &mut self.nodes[index];
                    if sim.connection.is_up && sim.connection.hears_from <= self.now {
                        sim.absent_since = None;
                        sim.absent_until = self.now;
                    }
                }
            }
            Event::Act(index) => self.act(index),
            Event::Fault(fault) => self.fault(fault),
            Event::Check => self.judge_views(),
        }
    }

    fn connect(&mut self, index: usize) {
        let now = self.time();
        if !self.nodes[index].is_alive || self.nodes[index].connection.is_up {
            return;
        }
        if !self.nodes[index].knows_cut {
            self.nodes[index].knows_cut = true;
            self.nodes[index].node.cut(now);
            self.step(index);
        }
        let is_slow = self.rng.random_range(0..20) == 0;
        let wait = self.rng.random_range(0..if is_slow { 6000 } else { 300 });
        let sim = &mut self.nodes[index];
        sim.connection.is_up = true;
        sim.connection.number += 1;
        sim.connection.hears_from = self.now + wait;
        sim.knows_cut = false;
        sim.node.connected(now);
        let subscribed = Event::Subscribed(index, sim.connection.number);
        self.at(self.now + wait, subscribed);
        self.trace(|| format!("n{index} is connected, and hears in {wait} ms"));
        self.step(index);
    }

    /// Cuts a node off; it may not know it yet.
    pub(super) fn cut(&mut self, index: usize, notice: u64) {
        let sim = &mut self.nodes[index];
        sim.connection.is_up = false;
        sim.absent_since.get_or_insert(self.now);
        let number = sim.connection.number;
        self.trace(|| format!("n{index} is cut off, and told so in {notice} ms"));
        self.at(self.now + notice, Event::NoticeCut(index, number));
    }

    /// Does what a node asks for, and judges it.
    pub(super) fn step(&mut self, index: usize) {
        let now = self.time();
        let mut parcels = Vec::new();
        let knows_cut = self.nodes[index].knows_cut;
        let (rng, refused) = (&mut self.rng, self.bus.refused);
        let mut is_refused = false;
        let sim = &mut self.nodes[index];
        sim.node.flush(now, |publication| {
            if knows_cut || Bus::chance(rng, refused) {
                is_refused = true;
                return Err(Refused);
            }
            parcels.push(Parcel::from(publication));
            Ok(())
        });
        while let Some(effect) = self.nodes[index].node.next_effect() {
            self.effect(index, effect);
        }
        for parcel in parcels {
            self.publish(index, parcel);
        }
        self.judge_stale(index);
        let sim = &mut self.nodes[index];
        let deadline = sim.node.deadline().map(|at| {
            u64::try_from(at.saturating_duration_since(self.start).as_micros()).unwrap().div_ceil(1000)
        });
        let again = is_refused.then_some(self.now + 5);
        let next = deadline.map(|at| at.max(self.now + 1)).into_iter().chain(again).min();
        let is_ending = self.now > self.ends_at && self.ends_at > 0;
        let Some(next) = next.filter(|next| !is_ending && sim.tick_at.is_none_or(|at| *next < at)) else {
            return;
        };
        sim.tick_at = Some(next);
        self.at(next, Event::Tick(index));
    }

    fn publish(&mut self, from: usize, parcel: Parcel) {
        let sender = self.nodes[from].connection;
        if let Some(header) = parcel.header.as_deref() {
            self.published(from, header.parse().unwrap());
        }
        self.trace(|| match Control::read(&parcel.payload) {
            Some((_, control)) => format!("n{from} -> {} {control:?}", parcel.subject),
            None => format!("n{from} -> {} {:?}", parcel.subject, parcel.header),
        });
        if !sender.is_up {
            return;
        }
        for to in 0..self.nodes.len() {
            let Sim { is_alive, connection, .. } = self.nodes[to];
            if !is_alive || !connection.is_up || connection.part != sender.part && self.bus_is_apart() {
                continue;
            }
            for at in self.bus.arrivals((from, to), self.now, &mut self.rng) {
                if at >= connection.hears_from {
                    let parcel = parcel.clone();
                    self.at(at, Event::Arrive { to, connection: connection.number, parcel });
                }
            }
        }
    }

    pub(super) fn bus_is_apart(&self) -> bool {
        self.judge.is_apart
    }

    fn published(&mut self, from: usize, header: Header) {
        let sim = &mut self.nodes[from];
        if header.seq > sim.published {
            sim.published = header.seq;
            return;
        }
        self.tally.again += 1;
        let sender = self.nodes[from].connection;
        let is_lacked = self.nodes.iter().enumerate().any(|(to, sim)| {
            let hears = sim.is_alive
                && sim.connection.is_up
                && (sim.connection.part == sender.part || !self.judge.is_apart);
            to != from
                && hears
                && sim.node.inbound(header.node).is_some_and(|(applied, _)| applied < header.seq)
        });
        if !is_lacked {
            self.tally.again_in_vain += 1;
            self.trace(|| format!("n{from} sends {} again in vain", header.seq));
        }
    }

    fn effect(&mut self, index: usize, effect: Effect) {
        self.trace(|| {
            let text = format!("{effect:?}");
            format!("n{index}: {}", text.chars().take(200).collect::<String>())
        });
        self.judge_effect(index, &effect);
        if let Effect::Replaced { key, .. } = effect {
            let now = self.time();
            self.nodes[index].node.change(key, super::super::presence::Change::Left, now);
        }
    }

    /// Those that are alive.
    pub(super) fn alive(&self) -> BTreeSet<usize> {
        (0..self.nodes.len()).filter(|index| self.nodes[*index].is_alive).collect()
    }
}
