//! Makes room: when the connections of a server hold too much, and when there are too many.

use std::cmp::Reverse;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use endwell_core::{Bound, Exceeded, Limit};

use super::members::{Queued, Turn};
use super::shed::{BUFFER, Standing, Told};
use crate::connection::{Link, Shared};
use crate::runtime::Runtime;

/// How long a connection must have been idle to make room: a new one has this time to send its request.
const IDLE: Duration = Duration::from_millis(500);

/// How long a connection must not have got on to make room, although its peer owes it something.
const STALLED: Duration = Duration::from_secs(5);

/// How long output may stand still before it counts as stuck, when too much is held.
const STUCK: Duration = Duration::from_secs(1);

/// The most idle connections that make room at once: each look takes all of them in.
const AT_ONCE: usize = 32;

/// When to look again while there is no room.
const AGAIN: Duration = Duration::from_millis(100);

/// Above 7/8 of the limit, connections are shed until they hold no more than 3/4 of it. So the limit itself is only met
/// by what those hold beside it that are never shed.
impl Shared {
    pub(crate) fn high_water(&self) -> usize {
        self.held_limit - self.held_limit / 8
    }

    pub(crate) fn low_water(&self) -> usize {
        self.held_limit - self.held_limit / 4
    }

    /// Sheds those that hold most, until the rest holds little enough. Those are left that are about to: their peers
    /// take what they hold.
    fn shed(&self) {
        let now = self.now();
        let mut leaving = 0;
        let mut holders = Vec::new();
        for link in self.links() {
            let bytes = link.standing.bytes();
            if link.standing.told() == Some(Told::Shed) {
                leaving += bytes;
            } else if bytes > BUFFER && !(link.standing.is_sending() && link.standing.age(now) < STUCK) {
                holders.push((bytes, link));
            }
        }
        let held = self.held();
        if holders.is_empty() && leaving == 0 && held <= self.high_water() {
            return self.relieve();
        }
        holders.sort_unstable_by_key(|(bytes, _)| Reverse(*bytes));
        let mut rest = held.saturating_sub(leaving);
        for (bytes, link) in holders {
            if rest <= self.low_water() {
                break;
            }
            rest = rest.saturating_sub(bytes);
            tell(&link, Told::Shed);
        }
        self.overloaded.store(rest > self.held_limit, Ordering::Relaxed);
    }

    /// Lets those go on that are not read.
    fn relieve(&self) {
        self.pressed.store(false, Ordering::Release);
        for link in self.links() {
            // A turn that begins behind this lock reads.
            let mut connection = link.lock();
            if connection.is_withheld() {
                connection.wake_driver();
            }
        }
    }

    /// Lets idle connections make room for new ones, the longest idle first; or else the one that holds most among those
    /// whose peers keep them waiting.
    fn make_room(&self) {
        let now = self.now();
        let links: Vec<_> = self.links().into_iter().filter(|link| link.standing.told().is_none()).collect();
        let mut idle: Vec<_> = links
            .iter()
            .map(|link| (link.standing.age(now), link))
            .filter(|(age, link)| link.standing.is_idle() && *age >= IDLE)
            .collect();
        if idle.is_empty() {
            let stalled = links.iter().filter(|link| self.is_stalled(&link.standing));
            if let Some(link) = stalled.max_by_key(|link| (link.standing.bytes(), link.standing.age(now))) {
                tell(link, Told::LeaveStalled);
            }
            return;
        }
        idle.sort_unstable_by_key(|(age, _)| Reverse(*age));
        let many = (idle.len() / 8).clamp(1, AT_ONCE);
        for (_, link) in idle.into_iter().take(many) {
            tell(link, Told::LeaveIdle);
        }
    }

    /// True if a connection does not get on because of its peer.
    pub(crate) fn is_stalled(&self, standing: &Standing) -> bool {
        standing.is_owed() && standing.age(self.now()) >= STALLED
    }

    /// The limit for which a connection ends.
    pub(crate) fn exceeded(&self, told: Told) -> Exceeded {
        let (limit, number) = match told {
            Told::LeaveIdle | Told::LeaveStalled => (Limit::Connections, self.connections),
            Told::Shed => (Limit::HeldBytes, self.held_limit),
        };
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        let bound = if limit == Limit::HeldBytes { Bound::Bytes(number) } else { Bound::Count(number) };
        Exceeded { limit, bound }
    }
}

/// Tells a connection something. Its driver looks for it under the lock that is taken here behind it.
fn tell(link: &Link, told: Told) {
    link.standing.tell(told);
    link.lock().wake_driver();
}

/// The tenders: one of them sheds.
impl Shared {
    /// Adds something that can shed. Returns its key.
    pub(crate) fn add_tender(&self, waker: Waker) -> usize {
        self.members().tenders.insert(waker)
    }

    pub(crate) fn move_tender(&self, key: usize, waker: Waker) {
        let mut members = self.members();
        let before = members.tenders.get_mut(key).map(|known| mem::replace(known, waker));
        drop(members);
        drop(before);
    }

    pub(crate) fn remove_tender(&self, key: usize) {
        let removed = self.members().tenders.try_remove(key);
        drop(removed);
        self.stops_tending(key);
        if self.is_pressed() {
            self.wake_tender();
        }
    }

    /// True if this tender is the one that sheds.
    pub(crate) fn tends(&self, key: usize) -> bool {
        match self.tending.compare_exchange(NO_TENDER, key, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(tending) => tending == key,
        }
    }

    pub(crate) fn stops_tending(&self, key: usize) {
        // It fails if another one sheds.
        let _ = self.tending.compare_exchange(key, NO_TENDER, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Wakes the tender that sheds, or one that can.
    pub(crate) fn wake_tender(&self) {
        let members = self.members();
        let tending = members.tenders.get(self.tending.load(Ordering::Acquire));
        let waker = tending.or_else(|| members.tenders.iter().next().map(|(_, waker)| waker)).cloned();
        drop(members);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

pub(crate) const NO_TENDER: usize = usize::MAX;

/// Waits for a place. At the limit, others make room.
pub(super) async fn wait(mut turn: Turn, shared: Arc<Shared>, sleeps: Sleeps) {
    let mut again: Option<Sleep> = None;
    poll_fn(|cx| {
        loop {
            match turn.poll(cx.waker()) {
                Queued::Inside => return Poll::Ready(()),
                Queued::Behind => return Poll::Pending,
                Queued::First => {}
            }
            let sleep = again.get_or_insert_with(|| {
                shared.make_room();
                sleeps.sleep(AGAIN)
            });
            ready!(sleep.as_mut().poll(cx));
            again = None;
        }
    })
    .await;
}

pub(super) type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The time of some runtime.
#[derive(Clone)]
pub(super) struct Sleeps(Arc<dyn Fn(Duration) -> Sleep + Send + Sync>);

impl Sleeps {
    pub(super) fn new(runtime: impl Runtime) -> Self {
        Self(Arc::new(move |time| Box::pin(runtime.sleep(time))))
    }

    fn sleep(&self, time: Duration) -> Sleep {
        (self.0)(time)
    }
}

/// Sheds connections while they hold too much. Each accept loop has one, and so has each connection that comes from
/// another loop, since there may be no other: one of them sheds.
pub(super) struct Tender {
    shared: Arc<Shared>,
    sleeps: Sleeps,
    /// What it is called by, and with which waker.
    known: Option<(usize, Waker)>,
    /// When to look again, while they do.
    again: Option<Sleep>,
}

impl Tender {
    pub(super) fn new(shared: Arc<Shared>, sleeps: Sleeps) -> Self {
        Self { shared, sleeps, known: None, again: None }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        let key = self.register(cx.waker());
        if !self.shared.is_pressed() || !self.shared.tends(key) {
            return;
        }
        while self.shared.is_pressed() {
            if self.shared.held() <= self.shared.low_water() {
                self.shared.relieve();
                continue;
            }
            let sleep = self.again.get_or_insert_with(|| {
                self.shared.shed();
                self.sleeps.sleep(AGAIN)
            });
            if sleep.as_mut().poll(cx).is_pending() {
                return;
            }
            self.again = None;
        }
        self.again = None;
        self.shared.stops_tending(key);
    }

    fn register(&mut self, waker: &Waker) -> usize {
        match &mut self.known {
            Some((key, known)) => {
                if !known.will_wake(waker) {
                    known.clone_from(waker);
                    self.shared.move_tender(*key, waker.clone());
                }
                *key
            }
            none => {
                let key = self.shared.add_tender(waker.clone());
                *none = Some((key, waker.clone()));
                key
            }
        }
    }
}

impl Drop for Tender {
    fn drop(&mut self) {
        if let Some((key, _)) = &self.known {
            self.shared.remove_tender(*key);
        }
    }
}
