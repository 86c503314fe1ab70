//! A WebSocket between two ends of this library, with many producers at each.

use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use endwell::core::ws::{self as core_ws, Masks, Role};
use endwell::ws::{CloseCode, Jitter, Outlet, SendHalf, Socket, SocketLimits};
use endwell::{Bytes, Ended, Exchange, ServerConfig, Transport};
use endwell_core_tests::random::Random;

use crate::aborted::aborted;
use crate::handler::serve_one;
use crate::judge;
use crate::leaving;
use crate::ledger::Ledger;
use crate::parties::Party;
use crate::tally::Tally;
use crate::wire::{Cut, Leaving, Line, Weather, WireEnd, wire};
use crate::world::{Hold, Manners, Still, World, join, race};

/// What a seed stands for.
pub(crate) struct Plan {
    weather: Weather,
    pub(crate) manners: Manners,
    configs: [ServerConfig; 2],
    largest: usize,
    pause: Duration,
    /// Whether somebody reads at each end until nothing more comes.
    reads: [bool; 2],
    split: [bool; 2],
    producers: [usize; 2],
    /// What each of them sends at the most.
    most: usize,
    served: bool,
    /// Whether an end is driven by the task that uses it.
    joined: bool,
    /// Whether the driver of such an end runs what uses it.
    runs: bool,
    /// When a driver is dropped, and whose.
    undriven: Option<(usize, Duration)>,
    /// How the client leaves for good, and when.
    leaves: Option<(Leaving, Duration)>,
}

impl Plan {
    /// True if a request may be cut off by an end of the stream.
    pub(crate) fn cuts_request(&self) -> bool {
        self.served && (matches!(self.weather.cut, Some((0, _, Cut::End))) || self.leaves.is_some())
    }

    /// True if nothing happens that may lose anything.
    pub(crate) fn is_calm(&self) -> bool {
        self.weather.is_calm()
            && self.undriven.is_none()
            && self.manners.still.is_none()
            && self.leaves.is_none()
    }

    /// Bytes that an end may have accepted while its transport has not taken them: what its outlets hold, and what is queued
    /// in half of the high-water mark. A message may pass either, and one more may that was promised its room.
    fn most_queued(&self, side: usize) -> usize {
        let config = &self.configs[side];
        config.outlet.bytes + config.output.high_water / 2
    }

    /// Bytes that an end may have read while none of them was handed out, beyond what is read ahead and two messages.
    fn most_read(&self, side: usize) -> usize {
        self.configs[side].ws.received_bytes + 2 * 14
    }

    /// Much is sent against narrow bounds.
    fn flood(&mut self) {
        self.producers = [4, 4];
        self.most = 40;
        for config in &mut self.configs {
            (config.outlet.messages, config.outlet.bytes) = (1024, 100);
            config.output.high_water = 1024;
            config.ws.received_bytes = 256;
        }
    }

    fn of(random: &mut Random) -> Self {
        let weather = Weather::of(random);
        let manners = Manners::of(random);
        let readers = random.below(6);
        Self {
            largest: (weather.longest * 60).min(3000),
            pause: Duration::from_millis(*random.pick(&[1, 20, 400])),
            reads: [readers != 0, readers != 1],
            split: [random.one_in(2), random.one_in(2)],
            producers: [random.below(5), random.below(5)],
            served: random.one_in(3),
            joined: false,
            runs: false,
            most: 10,
            undriven: random
                .one_in(12)
                .then(|| (random.below(2), Duration::from_millis(random.number() % 300))),
            leaves: None,
            configs: [config(random), config(random)],
            weather,
            manners,
        }
    }
}

fn config(random: &mut Random) -> ServerConfig {
    let mut config = ServerConfig::default();
    config.outlet.messages = *random.pick(&[1, 2, 8, 1024]);
    config.outlet.bytes = *random.pick(&[100, 1000, 1 << 20]);
    config.output.bytes = *random.pick(&[4096, 10_000, 1 << 20]);
    // No layer of these wires holds back more than this.
    config.output.high_water = *random.pick(&[1024, 4096, 64 << 10]);
    config.ws.ping_interval =
        *random.pick(&[None, Some(Duration::from_millis(100)), Some(Duration::from_secs(20))]);
    config.ws.received_bytes = *random.pick(&[256, 1000, 128 << 10]);
    config
}

/// Runs the world of a seed to its end and judges it.
pub(crate) fn run(seed: u64, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let mut plan = Plan::of(&mut random);
    // By chance of its own: what was drawn before there was this is still the same.
    let mut random = Random::new(!seed);
    plan.manners.still = random.one_in(3).then(|| Still::of(&mut random));
    plan.joined = random.one_in(4);
    if random.one_in(12) {
        plan.flood();
    }
    plan.leaves = Leaving::perhaps(&mut random);
    plan.runs = random.one_in(2);
    let world = World::new(seed, plan.manners);
    world.trace(|| format!("{:?} {:?} calm: {}", plan.weather, plan.reads, plan.is_calm()));
    let (line, client, server) = wire(&world, plan.weather.clone());
    if let Some((way, after)) = plan.leaves {
        world.spawn("leaver", way.after(after, 0, Arc::clone(&line), world.clone()));
    }
    let ledgers = [Ledger::default(), Ledger::default()];
    let kept: Arc<Mutex<Vec<(usize, Outlet)>>> = Arc::default();
    let halves = Arc::<Mutex<Vec<SendHalf>>>::default();
    let side = |side: usize| Side {
        party: Party {
            world: world.clone(),
            ledger: ledgers[side].clone(),
            line: Arc::clone(&line),
            side,
            largest: plan.largest,
            pause: plan.pause,
            reads: plan.reads[side],
            most_queued: plan.most_queued(side),
            kept: Arc::clone(&halves),
        },
        config: plan.configs[side].clone(),
        split: plan.split[side],
        joined: plan.joined,
        runs: plan.runs && plan.undriven.is_none(),
        most: plan.most,
        producers: plan.producers[side],
        kept: Arc::clone(&kept),
        undriven: plan.undriven.filter(|(whose, _)| *whose == side).map(|(_, time)| time),
    };
    let (one, other) = (side(0), side(1));
    if plan.served {
        world.spawn("client", one.shake_hands(client));
        other.serve(server);
    } else {
        one.over(client, Bytes::new());
        other.over(server, Bytes::new());
    }
    let (quiet, watched, outlets) = (ledgers.clone(), Arc::clone(&line), Arc::clone(&kept));
    let (by_request, most) = (plan.served, [plan.most_read(0), plan.most_read(1)]);
    world.when_quiet(move || {
        judge::nothing_is_left_lying(&quiet, &watched.hold(), &outlets.hold(), by_request);
        judge::nothing_is_read_too_early(&quiet, &watched.hold(), by_request, most);
    });
    world.run();
    let kept_wakers = world.kept_wakers();
    assert!(kept_wakers.is_empty(), "wakers are kept behind the end: {kept_wakers:?}");
    let outlets: Vec<(usize, Outlet)> = std::mem::take(&mut *kept.hold());
    drop(halves);
    let ends = judge::judge(&plan, &ledgers, &line.hold(), &outlets, plan.served);
    let still = plan.manners.still.map_or(Duration::ZERO, |still| still.time);
    let longest = plan.leaves.map(|(way, _)| leaving::longest(&plan.configs[1], &plan.weather, way) + still);
    let alone = line.hold().lived_on_alone(1);
    assert!(alone <= longest, "a slot is taken for {alone:?}");
    tally.ran(&world, ends);
}

/// What one end is made of.
struct Side {
    party: Party,
    config: ServerConfig,
    split: bool,
    joined: bool,
    runs: bool,
    producers: usize,
    most: usize,
    kept: Arc<Mutex<Vec<(usize, Outlet)>>>,
    undriven: Option<Duration>,
}

impl Side {
    fn name(&self, what: &str) -> String {
        format!("{what} {}", ["client", "server"][self.party.side])
    }

    /// Both ends without a handshake.
    fn over(self, end: WireEnd, leftover: Bytes) {
        let role = if self.party.side == 0 { Role::Client(masks()) } else { Role::Server };
        let limits: Arc<SocketLimits> = Arc::new(self.config.ws.clone());
        let (output, jitter) = (self.config.output, Jitter::default());
        let web_socket = core_ws::Socket::from_parts(role, leftover, limits, output, jitter, None);
        self.party.line.hold().keeps_limits(self.party.side);
        let (socket, mut driver) =
            Socket::over(end, self.party.world.clone(), web_socket, &(&self.config).into());
        let world = self.party.world.clone();
        let name = self.name("whole");
        self.start_producers(&socket);
        if self.split {
            world.spawn(self.name("driver"), self.watch(driver));
            let (party, ledger) = (self.party.clone(), self.party.ledger.clone());
            let (send, receive) = socket.split();
            world.spawn(self.name("send half"), party.use_send_half(send));
            let party = self.party.clone();
            world.spawn(self.name("receive half"), async move {
                if let Some(ended) = party.use_receive_half(receive).await {
                    ledger.ended("receive half", ended);
                }
            });
        } else {
            let (party, ledger) = (self.party.clone(), self.party.ledger.clone());
            let using = async move {
                let ended = party.use_whole(socket).await;
                ledger.ended("whole", ended);
            };
            if self.joined && self.runs {
                world.fault("run by its driver");
                let running = async move {
                    driver.run(using).await;
                    driver.await
                };
                world.spawn(name, self.watch(running));
            } else if self.joined {
                world.fault("driven by its user");
                world.spawn(name, join(using, self.watch(driver)));
            } else {
                world.spawn(self.name("driver"), self.watch(driver));
                world.spawn(name, using);
            }
        }
    }

    /// What drives the connection, perhaps not to its end.
    fn watch(
        &self,
        driver: impl Future<Output = Ended> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let Party { world, ledger, line, side, .. } = self.party.clone();
        let undriven = self.undriven;
        async move {
            let ended = match undriven {
                None => Some(driver.await),
                Some(time) => race(driver, world.sleep(time)).await.ok(),
            };
            assert!(line.hold().is_dropped(side), "the transport outlives the connection");
            if let Some(ended) = ended {
                world.trace(|| format!("{side} ended: {ended}"));
                ledger.ended("driver", ended);
            } else {
                world.fault("driver dropped");
                ledger.lock().undriven = true;
            }
        }
    }

    fn start_producers(&self, socket: &Socket) {
        let outlet = socket.outlet();
        self.kept.hold().push((self.party.side, outlet.clone()));
        // Somebody closes, in the end.
        let (world, closer) = (self.party.world.clone(), outlet.clone());
        let time = self.party.world.random(|random| random.below(40)) as u32 * self.party.pause;
        world.clone().spawn(self.name("closer of the"), async move {
            let _ = race(closer.closed(), world.sleep(time)).await;
            closer.close(CloseCode::NORMAL);
        });
        for producer in 0..self.producers {
            let party = self.party.clone();
            let (name, outlet) = (self.name(&format!("producer {producer} of the")), outlet.clone());
            let count = 1 + self.party.world.random(|random| random.below(self.most));
            self.party.world.spawn(name, party.produce(outlet, producer, count));
        }
    }

    /// The server's end, by way of a request.
    fn serve(self, end: WireEnd) {
        self.party.line.hold().keeps_limits(self.party.side);
        let (world, config) = (self.party.world.clone(), self.config.clone());
        let side = Arc::new(self);
        let handled = Arc::clone(&side);
        let running = serve_one(&world, end, config, move |exchange: Exchange| {
            let side = Arc::clone(&handled);
            async move { side.handle(exchange).await }
        });
        side.party.world.spawn(side.name("connection of the"), side.watch(running));
    }

    async fn handle(&self, exchange: Exchange) -> Ended {
        let acceptance = exchange.acceptance().jitter(Jitter::default());
        let Ok(socket) = exchange.accept(acceptance) else { panic!("a handshake") };
        self.start_producers(&socket);
        let ledger = self.party.ledger.clone();
        if !self.split {
            let ended = self.party.clone().use_whole(socket).await;
            ledger.ended("whole", ended.clone());
            return ended;
        }
        let (send, receive) = socket.split();
        let party = self.party.clone();
        self.party.world.spawn(self.name("send half"), party.use_send_half(send));
        match self.party.clone().use_receive_half(receive).await {
            Some(ended) => {
                ledger.ended("receive half", ended.clone());
                ended
            }
            // The connection goes on for the other half.
            None => aborted(),
        }
    }

    /// The client's end, by way of a request that is written by hand.
    async fn shake_hands(self, mut end: WireEnd) {
        let request = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let mut sent = 0;
        let mut head = Vec::new();
        let shaken = std::future::poll_fn(|cx| {
            while sent < request.len() {
                match end.poll_write(cx, &[std::io::IoSlice::new(&request[sent..])]) {
                    Poll::Ready(Ok(len)) => sent += len,
                    Poll::Ready(Err(_)) => return Poll::Ready(false),
                    Poll::Pending => break,
                }
            }
            if let Poll::Ready(Err(_)) = end.poll_flush(cx) {
                return Poll::Ready(false);
            }
            loop {
                let mut byte = [0];
                match end.poll_read(cx, &mut byte) {
                    Poll::Ready(Ok(1)) => head.push(byte[0]),
                    Poll::Ready(_) => return Poll::Ready(false),
                    Poll::Pending => return Poll::Pending,
                }
                if head.ends_with(b"\r\n\r\n") {
                    return Poll::Ready(true);
                }
            }
        })
        .await;
        // It may also be refused, when it was stalled or cut.
        if shaken && head.starts_with(b"HTTP/1.1 101 ") {
            self.over(end, Bytes::new());
        }
    }
}

fn masks() -> Masks {
    let mut random = Random::new(7);
    Masks::new(move || (random.number() as u32).to_be_bytes())
}

/// What both ends of `line` wrote, without a handshake's bytes.
pub(crate) fn behind_the_head(line: &Line, side: usize, served: bool) -> &[u8] {
    let taken = line.taken(side);
    if !served {
        return taken;
    }
    let head = taken.windows(4).position(|window| window == b"\r\n\r\n");
    let is_open = side == 0 || taken.starts_with(b"HTTP/1.1 101 ");
    head.filter(|_| is_open).map_or(&[], |end| &taken[end + 4..])
}
