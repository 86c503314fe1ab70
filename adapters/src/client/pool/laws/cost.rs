//! What a change costs, counted in comparisons: it does not grow with the origins, the connections or the waiting requests.

use std::task::Waker;

use super::super::PoolLimits;
use super::super::number::{Number, steps};
use super::super::places::{Effects, Grant, Places};
use crate::client::Origin;

/// A pool of which nothing is driven, and what its costliest change cost.
struct Costed {
    places: Places<()>,
    origins: Vec<Origin>,
    costliest: u64,
}

impl Costed {
    fn new(connections: usize, per_origin: usize, origins: usize) -> Self {
        let idle = usize::MAX;
        let limits =
            PoolLimits { connections, per_origin, idle, idle_per_origin: idle, ..PoolLimits::default() };
        let origins = (0..origins).map(|origin| Origin::http(&format!("host-{origin}"), 80)).collect();
        Self { places: Places::new(limits), origins, costliest: 0 }
    }

    fn change<R>(
        &mut self,
        change: impl FnOnce(&mut Places<()>, &Origin, &mut Effects<()>) -> R,
        at: usize,
    ) -> R {
        let origin = &self.origins[at % self.origins.len()];
        steps::take();
        let result = change(&mut self.places, origin, &mut Effects::default());
        self.costliest = self.costliest.max(steps::take());
        result
    }

    fn take(&mut self, at: usize) -> Option<Number> {
        self.change(|places, origin, _| places.take(origin), at).map(|grant| grant.id)
    }

    fn wait(&mut self, at: usize) -> Number {
        self.change(|places, origin, effects| places.wait(origin, Waker::noop().clone(), effects), at)
    }

    fn look(&mut self, ticket: Number) -> Option<Grant<()>> {
        self.change(|places, _, effects| places.look(ticket, Waker::noop(), effects), 0)
    }

    fn give_back(&mut self, id: Number) {
        self.change(|places, _, effects| places.give_back(id, (), effects), 0);
    }

    fn leave(&mut self, id: Number) {
        self.change(|places, _, effects| places.leave(id, effects), 0);
    }

    fn quit(&mut self, ticket: Number) {
        self.change(|places, _, effects| places.quit(ticket, effects), 0);
    }
}

/// `origins` of them and a request waiting at each, a few connections that pass from one to the next.
fn many_wait_at_many_origins(origins: usize) -> u64 {
    let mut pool = Costed::new(8, 8, origins);
    let mut held: Vec<_> = (0..8).map_while(|at| pool.take(at)).collect();
    let mut tickets: std::collections::VecDeque<_> = (0..origins).map(|at| pool.wait(at)).collect();
    for at in 0..100 {
        let id = held.remove(0);
        pool.give_back(id);
        // Another has waited for longer, or it was handed on, which ends as well.
        pool.leave(id);
        let served = tickets.pop_front().unwrap();
        held.push(pool.look(served).unwrap().id);
        // One comes, and one that came late gives up.
        tickets.push_back(pool.wait(at));
        let late = tickets.remove(tickets.len() / 2).unwrap();
        tickets.push_back(pool.wait(at));
        pool.quit(late);
    }
    pool.costliest
}

/// `origins` of them with an idle connection at each, and requests at others.
fn many_idle_at_many_origins(origins: usize) -> u64 {
    let mut pool = Costed::new(origins, 8, origins + 100);
    let ids: Vec<_> = (0..origins).map(|at| pool.take(at).unwrap()).collect();
    for id in &ids {
        pool.give_back(*id);
    }
    for (at, id) in ids.iter().enumerate().take(100) {
        let ticket = pool.wait(origins + at);
        pool.leave(*id);
        pool.look(ticket).unwrap();
    }
    pool.costliest
}

/// One origin with `many` connections, and `many` requests that wait there.
fn many_at_one_origin(many: usize) -> u64 {
    let mut pool = Costed::new(many, many, 1);
    let ids: Vec<_> = (0..many).map(|at| pool.take(at).unwrap()).collect();
    let tickets: Vec<_> = (0..many).map(|at| pool.wait(at)).collect();
    for id in &ids {
        pool.give_back(*id);
    }
    for ticket in tickets {
        let grant = pool.look(ticket).unwrap();
        pool.give_back(grant.id);
    }
    for id in ids.iter().rev() {
        pool.leave(*id);
    }
    assert!(pool.places.is_blank());
    pool.costliest
}

#[test]
fn a_change_costs_the_logarithm_of_what_there_is() {
    for history in [many_wait_at_many_origins, many_idle_at_many_origins, many_at_one_origin] {
        for many in [1_usize, 500, 16_000] {
            let steps = history(many);
            // A change looks up a few numbers, and each costs the logarithm.
            let most = 20 * u64::from(usize::BITS - many.leading_zeros());
            println!("{steps} comparisons with {many}, at most {most}");
            assert!(steps <= most);
        }
    }
}
