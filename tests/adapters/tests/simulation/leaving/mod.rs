//! No slot is taken for longer than a stated time by a peer that is not there.
//!
//! A connection must have ended, with its handler, within these times of the leaving, or of the last byte that its
//! transport took after it: as long as the peer's system takes something, it cannot be told from one that reads.
//!
//! | the peer's way    | before a handler | in an exchange | as a WebSocket | as another protocol |
//! |-------------------|------------------|----------------|----------------|---------------------|
//! | RST               | at once | at once | at once | at once |
//! | FIN, closed       | at once | `half_closed` | 1 s, `half_closed` | the kernel's time, asked |
//! | FIN, then RST     | `output`, `linger_time` | asked, or as below | asked, or as below | asked |
//! | FIN, never reads  | `output`, `linger_time` | `half_closed`, `output`, `linger_time` | 1 s, `half_closed`, `output`, `close_time` twice | its idle time, `output`, `linger_time` |
//! | silence, awaited  | the longest of `first_byte_time`, `head_time` and `idle_time`; `output`, `linger_time` | `request_pace` or `idle_time`; `output`, `linger_time` | `ping_interval` and a tenth, `pong_time`, `output`; then as above | its idle time, `output`, `linger_time` |
//! | silence, not awaited | | the kernel's time | without pings: the kernel's time | without an idle time: the kernel's time |
//! | any, behind more than is read ahead | | the kernel's time, asked | the kernel's time, asked | the kernel's time, asked |
//!
//! - At once: in a moment, for which whoever is woken is polled.
//! - `output`: what is queued must be taken at its pace. A peer that has taken much may be reading that for twice the
//!   silence, from an eighth of it on; twice that where the kernel tells what the peer has, since what it took just after
//!   a question counts from the next one. What a layer such as TLS holds back has the total time of all that it was given.
//! - Asked: while nothing is read, at the end of the stream or since nothing more fits, the driver asks for an error
//!   every 10 s.
//! - The kernel's time: none for a reset; 120 s of TCP keep-alive in silence, and for a socket that is closed (longer
//!   where its kernel still has something to send, and nobody reads that: 369 s were measured once); in silence 925 s from the first byte that is not acknowledged (`tcp_retries2`), for which the kernel does not ask.
//! - Then what the application asked for: `handler_grace`, once an exchange is answered or has become something else;
//!   with `OnGone::Finish` what the handler takes, or its `handler_time`.
//!
//! Whoever keeps its socket open, has sent more than is read ahead, or speaks another protocol without an idle time, is
//! there, as far as anything shows: `handler_time` bounds its handler.

mod bound;
mod handlers;
mod peer;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use endwell::core::Pace;
use endwell::{Ended, Exchange, OnGone, ServerConfig};
use endwell_core_tests::random::Random;

use crate::handler::serve_one;
use crate::tally::Tally;
use crate::wire::{Kernel, Leaving, Weather, wire};
use crate::world::{Hold, Manners, World};
use handlers::{Doing, FOR_EVER, Handler, Holds, KINDS};
use peer::{Peer, input};

/// What its handlers are asked for by.
pub(crate) fn paths() -> Vec<&'static str> {
    KINDS.iter().map(|doing| doing.path).collect()
}

/// What a seed stands for.
struct Plan {
    doing: Doing,
    leaves: Leaving,
    weather: Weather,
    config: ServerConfig,
    /// What the handler does at most, if it ends by itself.
    time: Duration,
    idle: Option<Duration>,
    /// Behind the head.
    extra: usize,
}

/// More than is read ahead for any handler.
const FLOOD: usize = 12_000;

const SECOND: Duration = Duration::from_secs(1);

impl Plan {
    fn of(random: &mut Random) -> Self {
        let leaves = *random.pick(&Leaving::ALL);
        let doing = *random.pick(&KINDS);
        let config = config(random);
        let finishes = config.on_gone == OnGone::Finish;
        let time =
            if finishes || random.one_in(4) { *random.pick(&[SECOND, SECOND * 100]) } else { FOR_EVER };
        let idle = (leaves == Leaving::Deaf || random.one_in(2)).then(|| SECOND * 30);
        // The last is more than is read ahead.
        let extra = *random.pick(&[0, 0, 1, 300, 2000, FLOOD]);
        // Whoever has its socket open, and has sent so much, is there.
        let extra = if leaves == Leaving::Deaf { extra.min(2000) } else { extra };
        Self { doing, leaves, weather: weather(random), config, time, idle, extra }
    }
}

impl Plan {
    /// True if nothing is read while the handler goes on, since nothing more fits.
    fn is_blind(&self) -> bool {
        self.extra == FLOOD && !self.doing.reads
    }
}

/// Networks of all kinds, in which nothing goes wrong before the peer leaves.
fn weather(random: &mut Random) -> Weather {
    let weather = Weather::of(random);
    let kernel = random.one_in(2).then(|| Kernel { bytes: 16 << 10, free: 8 << 10, tells: random.one_in(2) });
    Weather { stall: None, cut: None, kernel, ..weather }
}

fn config(random: &mut Random) -> ServerConfig {
    let mut config = ServerConfig::default();
    config.half_closed = Some(*random.pick(&[SECOND / 10, SECOND, SECOND * 10]));
    config.handler_grace = *random.pick(&[SECOND / 20, SECOND * 5]);
    config.handler_time = *random.pick(&[None, None, Some(SECOND * 3)]);
    config.on_gone = *random.pick(&[OnGone::Cancel, OnGone::Cancel, OnGone::Finish]);
    config.output.high_water = *random.pick(&[1024, 4096, 64 << 10]);
    if random.one_in(2) {
        config.output.pace = Pace::silence(SECOND * 5).total(SECOND * 5, 500);
        config.http.request_pace = Pace::silence(SECOND * 3).total(SECOND * 3, 500);
        config.ws.message_pace = Pace::silence(SECOND * 3).total(SECOND * 3, 500);
    }
    (config.http.received_bytes, config.ws.received_bytes) = (4096, 4096);
    (config.http.head_bytes, config.http.trailer_bytes) = (4096, 4096);
    config.http.first_byte_time = *random.pick(&[SECOND, SECOND * 10]);
    config.http.head_time = *random.pick(&[SECOND, SECOND * 10]);
    config.http.idle_time = *random.pick(&[SECOND * 2, SECOND * 75]);
    config.ws.ping_interval = *random.pick(&[None, Some(SECOND), Some(SECOND * 20)]);
    config.ws.pong_time = *random.pick(&[SECOND, SECOND * 20]);
    config.ws.close_time = *random.pick(&[SECOND / 2, SECOND * 5]);
    config
}

/// The longest time for which a server's end lives on in the worlds of the other kinds: their handlers end by themselves.
pub(crate) fn longest(config: &ServerConfig, weather: &Weather, leaves: Leaving) -> Duration {
    bound::longest(config, weather, leaves)
}

/// Runs the world of a seed to its end and judges it.
pub(crate) fn run(seed: u64, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let plan = Plan::of(&mut random);
    let world = World::new(seed, Manners::of(&mut random));
    world.trace(|| format!("{:?} {:?} {:?} {:?}", plan.doing, plan.leaves, plan.config, plan.weather));
    let (line, client, server) = wire(&world, plan.weather.clone());
    if plan.doing.holds != Holds::Raw {
        line.hold().keeps_limits(1);
    }
    let began = Arc::<AtomicBool>::default();
    let peer = Peer {
        world: world.clone(),
        line: Arc::clone(&line),
        end: client,
        input: input(&plan.doing, plan.extra, &mut random),
        reads: random.one_in(2),
        stays: Duration::from_millis(*random.pick(&[0, 20, 500, 3000])),
        leaves: plan.leaves,
    };
    world.trace(|| format!("reads: {} {}", peer.reads, peer.input.escape_ascii()));
    world.spawn("peer", peer.run());
    let handler = Handler {
        world: world.clone(),
        pause: *random.pick(&[SECOND / 50, SECOND, SECOND * 7]),
        time: plan.time,
        piece: *random.pick(&[1, 100, 3000]),
        idle: plan.idle,
        began: Arc::clone(&began),
    };
    let handler = move |exchange: Exchange| handler.clone().handle(exchange);
    let running = serve_one(&world, server, plan.config.clone(), handler);
    let told: Arc<Mutex<Option<(Duration, Ended)>>> = Arc::default();
    let (telling, clock) = (Arc::clone(&told), world.clone());
    world.spawn("connection", async move {
        let ended = running.await;
        *telling.hold() = Some((clock.now().since_epoch(), ended));
    });
    world.run();
    let (ended_at, ended) = told.hold().take().unwrap();
    let kept_wakers = world.kept_wakers();
    assert!(kept_wakers.is_empty(), "wakers are kept behind the end: {kept_wakers:?}");
    let line = line.hold();
    let Some(left_at) = line.left_at() else { return tally.ran(&world, vec!["before it left".into()]) };
    let bound = bound::until(&plan, &line, began.load(Ordering::Relaxed));
    assert!(
        ended_at <= bound,
        "{} {:?} at {left_at:?}: {ended} at {ended_at:?}, and not by {bound:?}",
        plan.doing.path,
        plan.leaves
    );
    tally.ran(&world, vec![plan.doing.path.to_owned()]);
}
