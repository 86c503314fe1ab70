//! HTTP connections of a server that accepts, serves and shuts down.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use endwell::core::Limit;
use endwell::{Ended, EndedKind, Exchange, Info, Listener, ServerConfig, serve};
use endwell_core_tests::client::{self, Asked};
use endwell_core_tests::random::Random;

use crate::client::{Answer, Request, Then, ask};
use crate::handler::{answer, body, handle};
use crate::leaving;
use crate::tally::Tally;
use crate::wire::{Leaving, Line, Weather, WireEnd, wire};
use crate::world::{Hold, Manners, World, race};

/// Connections that arrive one after the other, and errors between them.
struct Arrivals {
    world: World,
    ends: Mutex<VecDeque<WireEnd>>,
    errors: bool,
}

impl Listener for Arrivals {
    type Transport = WireEnd;
    type Runtime = World;

    async fn accept(&self) -> io::Result<(WireEnd, Info)> {
        if self.errors && self.world.random(|random| random.one_in(4)) {
            self.world.fault("error of accept");
            let kinds = [io::ErrorKind::ConnectionAborted, io::ErrorKind::OutOfMemory];
            return Err(self.world.random(|random| *random.pick(&kinds)).into());
        }
        let time = Duration::from_millis(self.world.random(|random| random.number() % 20));
        self.world.sleep(time).await;
        let arrived = self.ends.hold().pop_front();
        match arrived {
            Some(end) => Ok((end, Info::default())),
            None => std::future::pending().await,
        }
    }

    fn runtime(&self) -> World {
        self.world.clone()
    }
}

/// One connection, as its client sees it.
pub(crate) struct Conversation {
    pub(crate) requests: Vec<Request>,
    pub(crate) then: Then,
    pub(crate) line: Arc<Mutex<Line>>,
    pub(crate) heard: Arc<Mutex<Option<Answer>>>,
}

/// Runs the world of a seed to its end and judges it.
pub(crate) fn run(seed: u64, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let weather = Weather::of(&mut random);
    let world = World::new(seed, Manners::of(&mut random));
    let stops_early = random.one_in(4);
    // By chance of its own: what was drawn before there was this is still the same.
    let leaves = Leaving::perhaps(&mut Random::new(!seed));
    let calm = weather.is_calm() && !stops_early && leaves.is_none();
    world.trace(|| format!("{weather:?} calm: {calm}"));
    let pause = Duration::from_millis(*random.pick(&[0, 1, 30]));
    let mut ends = VecDeque::new();
    let mut conversations = Vec::new();
    for _ in 0..=random.below(2) {
        let (line, one, other) = wire(&world, weather.clone());
        line.hold().keeps_limits(1);
        if let Some((way, after)) = leaves {
            world.spawn("leaver", way.after(after, 0, Arc::clone(&line), world.clone()));
        }
        ends.push_back(other);
        let count = 1 + random.below(6);
        let requests: Vec<Request> = (0..count).map(|number| Request::of(number, &mut random)).collect();
        let then = *random.pick(&[Then::HalfClose, Then::Wait, Then::Wait, Then::Leave]);
        let heard: Arc<Mutex<_>> = Arc::default();
        let (asking, hearing) = (ask(world.clone(), one, requests.clone(), then, pause), Arc::clone(&heard));
        world.spawn("client", async move {
            let all = asking.await;
            *hearing.hold() = Some(all);
        });
        conversations.push(Conversation { requests, then, line, heard });
    }
    let told: Arc<Mutex<Vec<(Duration, Ended)>>> = Arc::default();
    let mut config = config(&mut random);
    let longest = leaves.map(|(way, _)| leaving::longest(&config, &weather, way));
    let (telling, telling_when) = (Arc::clone(&told), world.clone());
    config.on_end = Some(Arc::new(move |_, ended| {
        telling.hold().push((telling_when.now().since_epoch(), ended.clone()));
    }));
    let arrivals = Arrivals { world: world.clone(), ends: Mutex::new(ends), errors: random.one_in(3) };
    let time = Duration::from_millis(if stops_early { random.number() % 800 } else { 600_000 });
    let shutdown_time = config.shutdown_time;
    let handling = world.clone();
    let serving = serve(arrivals, config, move |exchange: Exchange| handle(handling.clone(), exchange));
    let counters = serving.counters();
    let stopping = world.clone();
    let serving = serving.until(async move { stopping.sleep(time).await });
    if stops_early {
        world.fault("shutdown");
    }
    let dropped = random.one_in(20).then(|| Duration::from_millis(random.number() % 300));
    // Nothing goes on for longer than a shutdown takes, and whoever is woken is polled within a moment.
    let stops_at = world.now().since_epoch() + dropped.map_or(time, |dropped| time.min(dropped));
    let over = stops_at + shutdown_time + Duration::from_secs(1);
    let sleeping = world.clone();
    world.spawn("accept loop", async move {
        match dropped {
            Some(time) => drop(race(serving, sleeping.sleep(time)).await),
            None => drop(serving.await),
        }
    });
    world.run();
    let kept_wakers = world.kept_wakers();
    assert!(kept_wakers.is_empty(), "wakers are kept behind the end: {kept_wakers:?}");
    assert_eq!(counters.accepted(), counters.ended(), "accepted, and ended");
    let told = told.hold();
    assert_eq!(told.len() as u64, counters.accepted(), "each end is told once");
    for conversation in &conversations {
        conversation.judge(calm && dropped.is_none(), &weather);
        let alone = conversation.line.hold().lived_on_alone(1);
        assert!(alone <= longest, "a slot is taken for {alone:?}");
    }
    for (at, ended) in &*told {
        fits(ended, calm && dropped.is_none(), leaves.is_some() || !weather.is_calm(), &conversations);
        assert!(*at <= over, "{ended}, {at:?} is after {over:?}");
    }
    tally.ran(&world, told.iter().map(|(_, ended)| name(ended)).collect());
}

fn config(random: &mut Random) -> ServerConfig {
    let mut config = ServerConfig::default();
    config.output.bytes = *random.pick(&[4096, 10_000, 1 << 20]);
    config.output.high_water = *random.pick(&[1024, 4096, 64 << 10]);
    config.http.received_bytes = *random.pick(&[1000, 4096, 64 << 10]);
    config.shutdown_time = Duration::from_millis(*random.pick(&[1, 200, 30_000]));
    config
}

impl Conversation {
    /// True if the client's bytes ended within a request: its direction was cut, or it went before a layer of its own had
    /// passed on all.
    pub(crate) fn ends_within_a_request(&self) -> bool {
        let mut end = 0;
        let mut ends = self.requests.iter().map(|request| {
            end += request.len();
            end
        });
        let moved = self.line.hold().moved(0);
        moved > 0 && ends.all(|end| end != moved)
    }

    fn judge(&self, calm: bool, weather: &Weather) {
        let Self { requests, then, line, heard } = self;
        assert!((0..2).all(|side| line.hold().is_dropped(side)), "a transport is kept");
        let heard = heard.hold();
        let Answer { output, failed } = heard.as_ref().expect("the client has ended");
        let mut asked: Vec<Asked> = requests.iter().map(|request| request.asked).collect();
        // A refusal of a request whose method was not seen has content.
        let heard = client::read(output, &asked).or_else(|error| {
            for asked in &mut asked {
                asked.head = false;
            }
            if calm { Err(error) } else { client::read(output, &asked) }
        });
        let heard = heard.unwrap_or_else(|error| panic!("{error}: {}", output.escape_ascii()));
        // A response that only the close ends is cut off with a reset, which may overtake those before it.
        let resets = requests.iter().any(|request| request.kind == "aborts" && request.asked.http10);
        for (index, response) in heard.responses.iter().enumerate() {
            let Some(request) = requests.get(index) else { panic!("an answer to nothing") };
            let cut_off = matches!(request.kind, "aborts" | "short");
            let closes = request.last || cut_off || matches!(request.kind, "drops" | "panics");
            // A body that is not read, and whose length is not known or that is waited with, is not worth its rest.
            let may_close = closes || request.expects || request.chunked;
            assert!(may_close || !calm || !response.closes, "closed: {request:?} {response:?}");
            let whole = response.whole || (response.until_close && !failed);
            assert!(
                whole || cut_off || resets || !calm || *then == Then::Leave,
                "cut: {request:?} {response:?}"
            );
            assert!(
                response.status != 200 || !(cut_off && response.whole && !request.asked.head),
                "a cut that does not show: {response:?}"
            );
            if response.status == 200 {
                // Nobody but the server has ended it here.
                let by_server = !matches!(weather.cut, Some((1, _, crate::wire::Cut::End)));
                let ends_well = response.until_close && !failed && *then != Then::Leave && by_server;
                assert!(!(cut_off && ends_well), "a cut that looks like the end: {request:?} {response:?}");
                let expected = match request.kind {
                    "all" | "echo" | "cancels" if request.has_body => body(request.number),
                    "all" | "echo" | "cancels" => Vec::new(),
                    _ => answer(request.number),
                };
                let (came, is_head) = (&response.content, request.asked.head);
                assert!(
                    is_head || !ends_well || expected == *came,
                    "an end before the end: {request:?} {response:?}"
                );
                assert!(is_head || expected.starts_with(came), "altered: {request:?} {response:?}");
                assert!(
                    is_head || cut_off || !response.whole || expected == *came,
                    "short: {request:?} {response:?}"
                );
            } else {
                let planned = matches!((request.kind, response.status), ("drops" | "panics", 500));
                assert!(planned || !calm, "status: {request:?} {response:?}");
            }
        }
        if calm && *then != Then::Leave && !resets {
            let over =
                heard.responses.last().is_some_and(|last| last.closes || last.until_close || !last.whole);
            assert!(over || heard.responses.len() == requests.len(), "missing: {requests:?} {heard:?}");
        }
    }
}

/// The end fits what was injected and what the client did.
pub(crate) fn fits(ended: &Ended, calm: bool, rough: bool, conversations: &[Conversation]) {
    match ended.kind() {
        EndedKind::ByPeer => {
            assert!(
                conversations.iter().any(|conversation| !conversation.ends_within_a_request()),
                "{ended}"
            );
        }
        // As to the transport: the client may have left.
        EndedKind::Announced | EndedKind::Unanswered | EndedKind::Aborted | EndedKind::Transport(_) => {}
        EndedKind::Limit(exceeded) if exceeded.limit == Limit::IdleTime => {}
        EndedKind::Shutdown => assert!(!calm, "{ended}"),
        EndedKind::Protocol(_) => {
            assert!(conversations.iter().any(Conversation::ends_within_a_request), "cut: {ended}");
        }
        other => assert!(rough, "{other}"),
    }
}

fn name(ended: &Ended) -> String {
    match ended.kind() {
        EndedKind::Limit(exceeded) => format!("limit: {:?}", exceeded.limit),
        EndedKind::Transport(error) => format!("transport: {:?}", error.kind()),
        EndedKind::Protocol(_) => "cut within a request".to_owned(),
        other => format!("{other:?}"),
    }
}
