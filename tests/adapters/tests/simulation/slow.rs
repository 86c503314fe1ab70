//! Peers that take what is sent slowly and never pause, over kernels that buffer much: all comes whole, and in time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use endwell::client::Connection;
use endwell::core::Limit;
use endwell::core::ws::{self as core_ws, Masks, Role};
use endwell::http::{Framing, Method, Request, StatusCode};
use endwell::ws::Outcome;
use endwell::ws::{Close, Jitter, Message, SendHalf, Socket, SocketLimits};
use endwell::{Bytes, ClientConfig, EndedKind, Exchange, ServerConfig};
use endwell_core_tests::random::Random;

use crate::handler::serve_one;
use crate::tally::Tally;
use crate::wire::{Kernel, Weather, WireEnd, wire};
use crate::world::{Hold, Manners, World};

/// Who sends to whom, and as what.
const KINDS: [&str; 5] = [
    "response",
    "response before the request",
    "request",
    "messages of the server",
    "messages of the client",
];

/// Bytes that are sent: more than a kernel and a window hold.
const BYTES: usize = 480_000;
/// Bytes of one piece of it.
const PIECE: usize = 30_000;

/// Runs the world of a seed to its end and judges it.
pub(crate) fn run(seed: u64, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let kind = *random.pick(&KINDS);
    let (kernel, rate) = *random.pick(&[
        // The kernel takes nothing for 67 s, and tells that the peer takes something.
        (Kernel::as_it_is(300_000, true), 1500),
        (Kernel::as_it_is(300_000, true), 30_000),
        (Kernel::bounded(true), 1500),
        // It does not tell. Then its bound is what shows that the peer takes something.
        (Kernel::bounded(false), if kind.starts_with("messages") { 20_000 } else { 4000 }),
        (Kernel::bounded(false), 30_000),
        (Kernel::bounded(false), 100_000),
    ]);
    let holds = random.one_in(3).then(|| *random.pick(&[200, 16 << 10]));
    let turns = random.one_in(3).then(|| 2 + random.below(20));
    let delay = Duration::from_millis(*random.pick(&[0, 1, 200]));
    let weather = Weather { holds, turns, delay, kernel: Some(kernel), rate: Some(rate), ..Weather::CALM };
    let world = World::new(seed, Manners::of(&mut random));
    world.trace(|| format!("{kind}: {weather:?}"));
    let (line, client, server) = wire(&world, weather);
    // A client gives its request up when it meets a limit, and reads the response that it has all the same.
    let first = usize::from(kind == "response before the request");
    (first..2).for_each(|side| line.hold().keeps_limits(side));
    // Where the kernel does not tell, a closing handshake has its few seconds for what it still holds.
    let closes = kernel.tells && random.one_in(2);
    let came: Came = Arc::default();
    match kind {
        "messages of the server" => {
            receive(&world, Role::Client(masks()), client, &came);
            send(&world, Role::Server, server, closes);
        }
        "messages of the client" => {
            send(&world, Role::Client(masks()), client, closes);
            receive(&world, Role::Server, server, &came);
        }
        // The server closes while the client still sends: who does not know what was acknowledged cannot wait for it.
        "response before the request" if !kernel.tells => *came.hold() = Some(BYTES),
        _ => exchange(&world, kind, client, server, &came),
    }
    world.run();
    assert_eq!(*came.hold(), Some(BYTES), "{kind}: bytes that came, if they came whole");
    tally.ran(&world, vec![kind.to_owned()]);
}

/// How much came, once it has come whole.
type Came = Arc<Mutex<Option<usize>>>;

fn pieces() -> impl Iterator<Item = Bytes> {
    std::iter::repeat_n(Bytes::from(vec![b'x'; PIECE]), BYTES / PIECE)
}

/// One exchange, with a large body in one direction.
fn exchange(world: &World, kind: &'static str, client: WireEnd, server: WireEnd, came: &Came) {
    let told = Arc::clone(came);
    let serving = serve_one(world, server, ServerConfig::default(), move |mut exchange: Exchange| {
        let told = Arc::clone(&told);
        async move {
            if exchange.path() == "/request" {
                let mut bytes = 0;
                while let Some(piece) = exchange.read().await? {
                    bytes += piece.len();
                }
                *told.hold() = Some(bytes);
                return Ok(exchange.respond(StatusCode::OK, "all"));
            }
            if exchange.path() == "/response-before-the-request" {
                return Ok(exchange.respond(StatusCode::OK, vec![b'x'; BYTES]));
            }
            let (_, mut response) = exchange.start(StatusCode::OK, Framing::Length(BYTES as u64));
            for piece in pieces() {
                response.write(piece).await?;
            }
            response.finish()
        }
    });
    world.spawn("server", async move {
        let ended = serving.await;
        if kind == "response before the request" {
            // The client leaves when it has the response, whatever it still had to send.
            return;
        }
        // What is on its way when nothing more is asked for arrives all the same.
        let is_idle = matches!(ended.kind(), EndedKind::Limit(exceeded) if exceeded.limit == Limit::IdleTime);
        assert!(is_idle || matches!(ended.kind(), EndedKind::ByPeer | EndedKind::Announced), "{ended}");
    });
    let (connection, driver) = Connection::over(client, world.clone(), &ClientConfig::default());
    world.spawn("driver of the client", async move { drop(driver.await) });
    let told = Arc::clone(came);
    let uploading = world.clone();
    world.spawn("client", async move {
        let head = Request::new(Method::Post, "h", &format!("/{}", kind.replace(' ', "-"))).unwrap();
        let response = if kind == "response" {
            connection.send(&head, "")
        } else {
            let length = if kind == "request" { BYTES } else { 3 * BYTES };
            let (mut body, response) = connection.request(&head, Framing::Length(length as u64));
            uploading.spawn("upload", async move {
                for piece in pieces().chain(pieces()).chain(pieces()).take(length / PIECE) {
                    // The server may have answered, and then it stops reading.
                    let written = body.write(piece).await;
                    assert!(written.is_ok() || kind != "request", "{written:?}");
                }
                let _ = body.finish();
            });
            response
        };
        let mut response = response.await.expect("a response");
        assert_eq!(response.status(), StatusCode::OK);
        let mut bytes = 0;
        while let Some(piece) = response.read().await.expect("a whole response") {
            bytes += piece.len();
        }
        if kind != "request" {
            *told.hold() = Some(bytes);
        }
    });
}

fn masks() -> Masks {
    let mut random = Random::new(7);
    Masks::new(move || (random.number() as u32).to_be_bytes())
}

fn socket(world: &World, role: Role, end: WireEnd, ping_interval: Option<Duration>) -> Socket {
    // Who receives sends nothing by itself, or it would be seen to live by that.
    let mut limits: SocketLimits = ServerConfig::default().ws;
    limits.ping_interval = ping_interval;
    let (config, jitter) = (ServerConfig::default(), Jitter::default());
    let web_socket =
        core_ws::Socket::from_parts(role, Bytes::new(), limits.into(), config.output, jitter, None);
    let (socket, driver) = Socket::over(end, world.clone(), web_socket, &(&config).into());
    let tracing = world.clone();
    world.spawn("driver of a WebSocket", async move {
        let ended = driver.await;
        tracing.trace(|| format!("a WebSocket has ended: {ended}"));
    });
    socket
}

fn send(world: &World, role: Role, end: WireEnd, closes: bool) {
    let (mut send, mut receive) = socket(world, role, end, ServerConfig::default().ws.ping_interval).split();
    // Dropped, it would close.
    let kept: Arc<Mutex<Option<SendHalf>>> = Arc::default();
    let keeping = Arc::clone(&kept);
    world.spawn("sends", async move {
        for piece in pieces() {
            send.send(Message::binary(piece)).await.expect("the peer reads");
        }
        if closes {
            // Behind all that: the peer has until then whatever it needs.
            send.close(Close::EMPTY).await;
        } else {
            *keeping.hold() = Some(send);
        }
    });
    // It waits for pongs too, which come behind all that.
    world.spawn("listens", async move {
        while receive.receive().await.is_some() {}
        let ended = receive.closed().await;
        drop(kept);
        assert!(matches!(ended.kind(), EndedKind::WebSocket(Outcome::Closed { .. })), "{ended}");
    });
}

fn receive(world: &World, role: Role, end: WireEnd, came: &Came) {
    let mut socket = socket(world, role, end, None);
    let came = Arc::clone(came);
    world.spawn("receives", async move {
        let mut bytes = 0;
        while bytes < BYTES {
            let Some(message) = socket.receive().await else { return };
            if message.is_data() {
                bytes += message.into_bytes().len();
            }
        }
        *came.hold() = Some(bytes);
        socket.close(Close::EMPTY).await;
    });
}
