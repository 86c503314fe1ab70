//! What was met, in numbers.

use std::collections::BTreeMap;
use std::fmt;

use crate::world::World;

/// Over all seeds.
#[derive(Default)]
pub(crate) struct Tally {
    seeds: u64,
    faults: BTreeMap<&'static str, (u64, u64)>,
    ends: BTreeMap<String, u64>,
}

impl Tally {
    /// A world has ended, and its ends like this.
    pub(crate) fn ran(&mut self, world: &World, ends: Vec<String>) {
        self.seeds += 1;
        for (kind, times) in world.faults() {
            let (seeds, all) = self.faults.entry(kind).or_default();
            *seeds += 1;
            *all += times;
        }
        for end in ends {
            *self.ends.entry(end).or_default() += 1;
        }
    }

    pub(crate) fn seeds(&self) -> u64 {
        self.seeds
    }

    /// How often an end was met.
    pub(crate) fn ends(&self, name: &str) -> u64 {
        self.ends.iter().filter(|(end, _)| end.starts_with(name)).map(|(_, times)| times).sum()
    }

    /// In how many seeds a fault was injected.
    pub(crate) fn faults(&self, kind: &str) -> u64 {
        self.faults.get(kind).map_or(0, |(seeds, _)| *seeds)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} seeds", self.seeds)?;
        writeln!(f, "{:30} {:>8} {:>10}", "fault", "seeds", "times")?;
        for (kind, (seeds, times)) in &self.faults {
            writeln!(f, "{kind:30} {seeds:>8} {times:>10}")?;
        }
        writeln!(f, "{:40} {:>8}", "end", "times")?;
        for (end, times) in &self.ends {
            writeln!(f, "{end:40} {times:>8}")?;
        }
        Ok(())
    }
}
