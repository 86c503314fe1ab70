//! What happens to a world, and when.

use rand::Rng;
use rand::seq::IteratorRandom;

use super::world::{Event, Kind, World};

/// A fault, or the end of one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// One node's connection ends, for so long.
    Cut(u64),
    /// The bus starts again, and is away for so long.
    Restart(u64),
    /// The bus hangs for so long.
    Hang(u64),
    /// A node is killed, and another starts after so long, if any.
    Kill(Option<u64>),
    /// A node ends.
    End,
    /// Another node starts.
    Start,
    /// The bus falls apart.
    Apart,
    /// It is whole again.
    Whole,
    /// All faults end.
    Over,
}

impl World {
    pub(super) fn plan(&mut self) {
        match self.kind {
            Kind::Calm => self.plan_calm(),
            Kind::Wild => self.plan_wild(),
        }
    }

    /// One fault after the other, each with the time that a promise gives.
    fn plan_calm(&mut self) {
        let mut at = 12_000;
        self.check(at);
        for _ in 0..self.rng.random_range(1..=3) {
            at += self.rng.random_range(100..2000);
            let long = self.rng.random_range(100..12_000);
            let fault = match self.rng.random_range(0..7) {
                0 => Fault::Cut(long),
                1 => Fault::Restart(long),
                2 => Fault::Hang(long / 2),
                3 => Fault::Kill(None),
                4 => Fault::End,
                5 => Fault::Start,
                _ => Fault::Apart,
            };
            self.at(at, Event::Fault(fault));
            // A subscription may take 6 s, and the others are asked within 3.5 s.
            at += match fault {
                Fault::Cut(long) | Fault::Restart(long) => long + 3000 + 6000 + 4000,
                Fault::Hang(long) => long + 4000,
                Fault::Start => 1000 + 6000 + 4000,
                Fault::Kill(_) => 4000,
                Fault::End => 2000,
                Fault::Apart => {
                    self.at(at + long, Event::Fault(Fault::Whole));
                    long + 2000
                }
                Fault::Whole | Fault::Over => 0,
            };
            self.check(at);
        }
        self.ends_at = at + 1000;
    }

    /// Any fault at any time, and then a while without.
    fn plan_wild(&mut self) {
        let over = self.rng.random_range(3000..15_000);
        for _ in 0..self.rng.random_range(1..10) {
            let long = self.rng.random_range(10..6000);
            let fault = match self.rng.random_range(0..10) {
                0..3 => Fault::Cut(long),
                3 => Fault::Restart(long),
                4 => Fault::Hang(long),
                5 => Fault::Kill(Some(long)),
                6 => Fault::End,
                7 => Fault::Start,
                8 => Fault::Apart,
                _ => Fault::Whole,
            };
            let at = self.rng.random_range(0..over);
            self.at(at, Event::Fault(fault));
        }
        self.at(over, Event::Fault(Fault::Over));
        self.check(over + 18_000);
        self.ends_at = over + 19_000;
    }

    fn check(&mut self, at: u64) {
        self.still.push((at - 500, at));
        self.at(at, Event::Check);
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.trace(|| format!("{fault:?}"));
        let alive = self.alive();
        let one = alive.iter().copied().choose(&mut self.rng);
        match fault {
            Fault::Cut(long) => {
                if let Some(index) = one {
                    self.cut_for(index, long);
                }
            }
            Fault::Restart(long) => {
                for index in alive {
                    let later = *[0, 0, 600, 2500].get(self.rng.random_range(0..4)).unwrap_or(&0);
                    self.cut_for(index, long + later);
                }
            }
            Fault::Hang(long) => {
                self.bus.hangs_until = self.now + long;
                for index in alive {
                    let now = self.now;
                    self.nodes[index].absent_since.get_or_insert(now);
                }
                self.at(self.now + long, Event::Thaw);
            }
            Fault::Kill(again) => {
                let Some(index) = one.filter(|_| alive.len() > 2) else { return };
                self.trace(|| format!("n{index} is killed"));
                self.nodes[index].is_alive = false;
                self.nodes[index].absent_since.get_or_insert(self.now);
                if let Some(again) = again {
                    self.at(self.now + again, Event::Fault(Fault::Start));
                }
            }
            Fault::End => {
                let Some(index) = one.filter(|_| alive.len() > 2) else { return };
                self.trace(|| format!("n{index} ends"));
                // As long as the bus refuses, a program tries again for a moment.
                for _ in 0..20 {
                    self.nodes[index].node.leave();
                    self.step(index);
                }
                self.nodes[index].is_alive = false;
                self.nodes[index].absent_since.get_or_insert(self.now);
            }
            Fault::Start => {
                if alive.len() < 5 {
                    self.start_node();
                }
            }
            Fault::Apart => self.judge.is_apart = true,
            Fault::Whole => self.whole(),
            Fault::Over => {
                (self.bus.lost, self.bus.repeated, self.bus.hangs_until) = (0, 0, 0);
                self.bus.delay = self.bus.delay.min(50);
                self.whole();
                for index in alive {
                    self.at(self.now, Event::Connect(index));
                }
                self.at(self.now, Event::Thaw);
            }
        }
    }

    fn whole(&mut self) {
        self.judge.is_apart = false;
        self.judge.apart_until = self.now;
    }

    fn cut_for(&mut self, index: usize, long: u64) {
        // A server that hangs is noticed late.
        let is_late = self.rng.random_range(0..5) == 0;
        let notice = self.rng.random_range(0..if is_late { long.max(1) } else { 50.min(long) + 1 });
        self.cut(index, notice);
        self.at(self.now + long, Event::Connect(index));
    }
}
