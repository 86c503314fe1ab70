//! An executor on one thread, with a clock of its own. Who is polled next, how long that takes and which waker it gets is
//! chosen by seed.

mod time;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use endwell::core::Instant;
use endwell_core_tests::random::Random;

use crate::watchdog;
use crate::wire::Line;
pub(crate) use time::{Alarm, Sleep};

/// A lock that a failed test does not poison: its destructors still run.
pub(crate) trait Hold<T> {
    fn hold(&self) -> MutexGuard<'_, T>;
}

impl<T> Hold<T> for Mutex<T> {
    fn hold(&self) -> MutexGuard<'_, T> {
        self.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything that happens in one run. A clone is the same world.
#[derive(Clone)]
pub(crate) struct World(Arc<Shared>);

struct Shared {
    traced: bool,
    state: Mutex<State>,
    /// Tasks that were woken. Never locked while something else is.
    ready: Mutex<Vec<usize>>,
}

struct State {
    now: Duration,
    random: Random,
    spawned: Vec<Task>,
    timers: BTreeMap<(Duration, u64), Waker>,
    timer: u64,
    lines: Vec<Arc<Mutex<Line>>>,
    faults: BTreeMap<&'static str, u64>,
    /// Grows when anything is achieved.
    progress: u64,
    manners: Manners,
    /// How often it was looked whether it is time to stand still, and for how long it has in all.
    looked: usize,
    stood_still: Duration,
    /// Tasks that have ended, and what their wakers share.
    ended: Vec<(String, Arc<AtomicU64>)>,
    quiet: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl State {
    /// Wakes a task at a moment. Returns the key of that.
    fn wake_at(&mut self, until: Duration, waker: &Waker) -> (Duration, u64) {
        self.timer += 1;
        let key = (until, self.timer);
        self.timers.insert(key, waker.clone());
        key
    }
}

/// How this world treats its tasks.
#[derive(Clone, Copy, Default)]
pub(crate) struct Manners {
    /// Once in so many steps a task is polled though nobody woke it.
    pub(crate) spurious: Option<usize>,
    /// Once in so many polls a task gets a new waker, and the ones before it wake nobody any more.
    pub(crate) fresh: Option<usize>,
    /// A poll takes up to so long.
    pub(crate) step: Duration,
    /// Once the world stands still.
    pub(crate) still: Option<Still>,
}

/// Once, when so many polls have passed and bytes lie unread at some end, nobody is polled for so long.
#[derive(Clone, Copy)]
pub(crate) struct Still {
    pub(crate) polls: usize,
    pub(crate) time: Duration,
    /// Whether whoever reads then has no turn left.
    pub(crate) short: bool,
}

impl Still {
    pub(crate) fn of(random: &mut Random) -> Self {
        let time = Duration::from_secs(*random.pick(&[3, 25, 25, 90]));
        Self { polls: random.below(300), time, short: !random.one_in(4) }
    }
}

impl Manners {
    pub(crate) fn of(random: &mut Random) -> Self {
        Self {
            spurious: random.one_in(2).then(|| 2 + random.below(20)),
            fresh: random.one_in(2).then(|| 2 + random.below(20)),
            step: Duration::from_micros(*random.pick(&[0, 1, 20])),
            still: None,
        }
    }
}

struct Task {
    name: String,
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Which waker counts.
    generation: Arc<AtomicU64>,
    waker: Option<Waker>,
}

struct TaskWaker {
    id: usize,
    generation: u64,
    current: Arc<AtomicU64>,
    world: std::sync::Weak<Shared>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if self.current.load(Ordering::Relaxed) != self.generation {
            return;
        }
        let Some(world) = self.world.upgrade() else { return };
        let mut ready = world.ready.hold();
        if !ready.contains(&self.id) {
            ready.push(self.id);
        }
    }
}

thread_local! {
    /// For what has no world in its hands: a handler.
    static CURRENT: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Polls in a row by which nothing was achieved and no time passed.
const BUSY: u64 = 3000;
/// No run takes longer: two handlers, one after the other, may each take an hour and a half of it.
const LONGEST: Duration = Duration::from_secs(4 * 3600);

impl World {
    pub(crate) fn new(seed: u64, manners: Manners) -> Self {
        let state = State {
            now: Duration::from_secs(1),
            random: Random::new(seed ^ 0x5eed),
            spawned: Vec::new(),
            timers: BTreeMap::new(),
            timer: 0,
            lines: Vec::new(),
            faults: BTreeMap::new(),
            progress: 0,
            manners,
            looked: 0,
            stood_still: Duration::ZERO,
            ended: Vec::new(),
            quiet: None,
        };
        let traced = std::env::var_os("SEED").is_some();
        let (state, ready) = (Mutex::new(state), Mutex::default());
        Self(Arc::new(Shared { traced, state, ready }))
    }

    pub(crate) fn current() -> Self {
        CURRENT.with_borrow(|world| world.clone().expect("a world that runs"))
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::from_epoch(self.0.state.hold().now)
    }

    /// Chance, of which there is one sequence in a world.
    pub(crate) fn random<R>(&self, draw: impl FnOnce(&mut Random) -> R) -> R {
        draw(&mut self.0.state.hold().random)
    }

    /// Something was achieved.
    pub(crate) fn progress(&self) {
        self.0.state.hold().progress += 1;
    }

    /// `judge` is asked whenever every task waits: whatever could be done must have been.
    pub(crate) fn when_quiet(&self, judge: impl Fn() + Send + Sync + 'static) {
        self.0.state.hold().quiet = Some(Arc::new(judge));
    }

    /// A fault was injected.
    pub(crate) fn fault(&self, kind: &'static str) {
        *self.0.state.hold().faults.entry(kind).or_default() += 1;
    }

    pub(crate) fn faults(&self) -> BTreeMap<&'static str, u64> {
        self.0.state.hold().faults.clone()
    }

    pub(crate) fn add_line(&self, line: &Arc<Mutex<Line>>) {
        self.0.state.hold().lines.push(Arc::clone(line));
    }

    pub(crate) fn trace(&self, what: impl FnOnce() -> String) {
        if self.0.traced {
            println!("{:>12.6} {}", self.now().since_epoch().as_secs_f64(), what());
        }
    }

    /// Starts a task.
    pub(crate) fn spawn(&self, name: impl Into<String>, task: impl Future<Output = ()> + Send + 'static) {
        let (future, generation) = (Box::pin(task), Arc::default());
        let task = Task { name: name.into(), future, generation, waker: None };
        self.0.state.hold().spawned.push(task);
    }

    /// Waits.
    pub(crate) fn sleep(&self, time: Duration) -> Sleep {
        Sleep { world: self.clone(), until: self.now().since_epoch() + time, key: None }
    }

    /// Runs until every task has ended.
    pub(crate) fn run(&self) {
        CURRENT.set(Some(self.clone()));
        let mut tasks: Vec<Option<Task>> = Vec::new();
        let (mut seen, mut idle) = (0, 0);
        loop {
            self.adopt(&mut tasks);
            let alive: Vec<usize> = (0..tasks.len()).filter(|id| tasks[*id].is_some()).collect();
            if alive.is_empty() {
                break;
            }
            self.pass_time();
            let Some(id) = self.choose(&alive) else {
                let names: Vec<&str> = tasks.iter().flatten().map(|task| &*task.name).collect();
                let quiet = self.0.state.hold().quiet.clone();
                if let Some(judge) = quiet {
                    judge();
                }
                assert!(self.jump(), "lost wake-up: nothing to do and nothing to wait for, but {names:?}");
                idle = 0;
                continue;
            };
            let Some(task) = tasks[id].as_mut() else { continue };
            let ended = self.poll(id, task);
            if ended {
                let task = tasks[id].take().unwrap();
                self.trace(|| format!("{} has ended", task.name));
                self.end(task);
            }
            let progress = self.0.state.hold().progress;
            idle = if ended || progress > seen { 0 } else { idle + 1 };
            seen = progress;
            assert!(idle < BUSY, "busy loop: {idle} polls achieved nothing; last {:?}", name(&tasks, id));
        }
        CURRENT.set(None);
        self.0.state.hold().quiet = None;
    }

    fn adopt(&self, tasks: &mut Vec<Option<Task>>) {
        let spawned = std::mem::take(&mut self.0.state.hold().spawned);
        for task in spawned {
            self.0.ready.hold().push(tasks.len());
            tasks.push(Some(task));
        }
    }

    /// The task to poll next: one that was woken, and now and then any.
    fn choose(&self, alive: &[usize]) -> Option<usize> {
        let manners = self.0.state.hold().manners;
        let mut ready = self.0.ready.hold();
        ready.retain(|id| alive.contains(id));
        if ready.is_empty() {
            return None;
        }
        if manners.spurious.is_some_and(|times| self.random(|random| random.one_in(times))) {
            drop(ready);
            self.fault("poll without a wake-up");
            return Some(self.random(|random| *random.pick(alive)));
        }
        let index = self.random(|random| random.below(ready.len()));
        Some(ready.swap_remove(index))
    }

    fn poll(&self, id: usize, task: &mut Task) -> bool {
        let fresh = self.0.state.hold().manners.fresh;
        if task.waker.is_some() && fresh.is_some_and(|times| self.random(|random| random.one_in(times))) {
            task.waker = None;
            task.generation.fetch_add(1, Ordering::Relaxed);
            self.fault("waker replaced");
        }
        let waker = task.waker.get_or_insert_with(|| {
            let (current, world) = (Arc::clone(&task.generation), Arc::downgrade(&self.0));
            let generation = current.load(Ordering::Relaxed);
            Waker::from(Arc::new(TaskWaker { id, generation, current, world }))
        });
        // What woke it for this poll is used up.
        self.0.ready.hold().retain(|ready| *ready != id);
        watchdog::step(&task.name);
        task.future.as_mut().poll(&mut Context::from_waker(waker)).is_ready()
    }

    fn end(&self, task: Task) {
        task.generation.fetch_add(1, Ordering::Relaxed);
        drop((task.future, task.waker));
        self.0.state.hold().ended.push((task.name, task.generation));
        self.progress();
    }

    /// The names of tasks that have ended and whose wakers are still kept somewhere.
    pub(crate) fn kept_wakers(&self) -> Vec<String> {
        let state = self.0.state.hold();
        state.lines.iter().for_each(|line| line.hold().forget());
        let kept = state.ended.iter().filter(|(_, wakers)| Arc::strong_count(wakers) > 1);
        kept.map(|(name, _)| name.clone()).collect()
    }

    /// A poll takes its time, and what is due happens.
    fn pass_time(&self) {
        let (lines, due) = {
            let mut state = self.0.state.hold();
            let most = state.manners.step.as_nanos() as usize;
            if most > 0 {
                let step = state.random.below(most);
                state.now += Duration::from_nanos(step as u64);
            }
            let behind = (state.now + Duration::from_nanos(1), 0);
            let later = state.timers.split_off(&behind);
            (state.lines.clone(), std::mem::replace(&mut state.timers, later))
        };
        due.into_values().for_each(Waker::wake);
        let now = self.now().since_epoch();
        for line in &lines {
            line.hold().pass(now);
        }
        self.stand_still(&lines);
    }

    /// Perhaps time passes in which nobody is polled, as on a machine that is busy or sleeps.
    fn stand_still(&self, lines: &[Arc<Mutex<Line>>]) {
        let still = {
            let mut state = self.0.state.hold();
            state.looked += 1;
            let Some(still) = state.manners.still.filter(|still| state.looked > still.polls) else { return };
            still
        };
        if !lines.iter().any(|line| (0..2).any(|side| line.hold().has_unread(side))) {
            return;
        }
        let now = {
            let mut state = self.0.state.hold();
            state.manners.still = None;
            state.stood_still += still.time;
            state.now += still.time;
            state.now
        };
        self.fault("stood still");
        self.trace(|| format!("stood still for {:?}", still.time));
        for line in lines {
            line.hold().stood_still(now, still.time, still.short);
        }
        self.pass_time();
    }

    /// For how long nobody was polled.
    pub(crate) fn stood_still_for(&self) -> Duration {
        self.0.state.hold().stood_still
    }

    /// Goes to the next moment at which something happens. `false`: there is none.
    fn jump(&self) -> bool {
        let lines = self.0.state.hold().lines.clone();
        let next = lines.iter().filter_map(|line| line.hold().next()).min();
        let mut state = self.0.state.hold();
        let timer = state.timers.keys().next().map(|(at, _)| *at);
        let Some(next) = next.into_iter().chain(timer).min() else { return false };
        state.now = state.now.max(next);
        assert!(state.now < LONGEST, "it does not end");
        true
    }
}

fn name(tasks: &[Option<Task>], id: usize) -> &str {
    tasks[id].as_ref().map_or("", |task| &task.name)
}

/// Whichever is ready first; the other is dropped.
pub(crate) async fn race<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> Result<A, B> {
    let (mut one, mut other) = (std::pin::pin!(one), std::pin::pin!(other));
    std::future::poll_fn(|cx| match one.as_mut().poll(cx) {
        Poll::Ready(out) => Poll::Ready(Ok(out)),
        Poll::Pending => other.as_mut().poll(cx).map(Err),
    })
    .await
}

/// Both, in one task.
pub(crate) async fn join(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    let (mut one, mut other) = (std::pin::pin!(one), std::pin::pin!(other));
    let mut pending = (true, true);
    std::future::poll_fn(|cx| {
        pending.0 = pending.0 && one.as_mut().poll(cx).is_pending();
        pending.1 = pending.1 && other.as_mut().poll(cx).is_pending();
        if pending == (false, false) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// When a future is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GiveUp {
    /// As soon as it was pending so many times.
    AtOnce(usize),
    /// When it was pending so many times and was woken again: what it waited for may be its own by then.
    Woken(usize),
}

/// `None`: it was given up, and dropped.
pub(crate) async fn until_pending<F: Future>(future: F, when: GiveUp) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut pending = 0;
    std::future::poll_fn(|cx| {
        let (GiveUp::AtOnce(bound) | GiveUp::Woken(bound)) = when;
        if pending >= bound && matches!(when, GiveUp::Woken(_)) {
            return Poll::Ready(None);
        }
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        pending += 1;
        match when {
            GiveUp::AtOnce(_) if pending >= bound => Poll::Ready(None),
            GiveUp::AtOnce(_) | GiveUp::Woken(_) => Poll::Pending,
        }
    })
    .await
}
