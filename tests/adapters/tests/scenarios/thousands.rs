//! S27 with a thousand attackers of each kind, who send or take a byte a second: each is ended by its limit, and an honest
//! client beside them is served as before.
//!
//! `cargo test -p endwell-tests --test scenarios thousands -- --ignored --nocapture --test-threads 1`. It wants 8,200 file
//! descriptors and 50 s for each runtime.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use endwell::core::{Limit, Pace};
use endwell::http::{Framing, StatusCode};
use endwell::ws::{Close, Outcome};
use endwell::{Answered, Ended, EndedKind, Exchange, ServerConfig};

use crate::aborted::aborted;
use crate::support::{Client, Runtime, on_every_runtime, start_with};

on_every_runtime!(
    #[ignore = "the long run"]
    one_honest_among_thousands
);

const ATTACKERS: usize = 1000;
const SECOND: Duration = Duration::from_secs(1);
/// The last limit that is met.
const LAST: Duration = Duration::from_secs(40);

/// The limits are met in this order, 10 s apart, so that each is seen.
fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.http.request_pace = Pace::silence(SECOND * 20).total(SECOND * 20, 500);
    config.ws.message_pace = Pace::silence(SECOND * 30).total(SECOND * 30, 500);
    // The attackers answer no ping.
    config.ws.ping_interval = None;
    config.output.pace = Pace::silence(LAST).total(LAST, 500);
    config
}

async fn handle(mut exchange: Exchange) -> Result<Answered, Ended> {
    match exchange.path() {
        "/large" => {
            let (_, mut response) = exchange.start(StatusCode::OK, Framing::Length(64 << 20));
            while response.write(vec![b'x'; 1 << 14]).await.is_ok() {}
            response.finish()
        }
        "/chat" => {
            let acceptance = exchange.acceptance();
            let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
            while socket.receive().await.is_some() {}
            Err(socket.close(Close::EMPTY).await)
        }
        _ => {
            let body = exchange.read_all(1 << 20).await?;
            Ok(exchange.respond(StatusCode::OK, body))
        }
    }
}

const HANDSHAKE: &str = "GET /chat HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

#[derive(Clone, Copy)]
enum Attack {
    Head,
    Body,
    Message,
    Reading,
}

impl Attack {
    const ALL: [Self; 4] = [Self::Head, Self::Body, Self::Message, Self::Reading];

    fn begin(self, address: SocketAddr) -> Client {
        let mut client = match self {
            Self::Reading => Client::connect_narrow(address),
            Self::Head | Self::Body | Self::Message => Client::connect(address),
        };
        client.send(match self {
            Self::Head => "G",
            Self::Body => "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n",
            Self::Message => HANDSHAKE,
            Self::Reading => "GET /large HTTP/1.1\r\nhost: a\r\n\r\n",
        });
        if let Self::Message = self {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.extend(client.read_exactly(1));
            }
            assert!(head.starts_with(b"HTTP/1.1 101 "));
            // A text message of 100,000 bytes in one frame, masked with zeros.
            client.send([0x81, 0xff, 0, 0, 0, 0, 0, 1, 0x86, 0xa0, 0, 0, 0, 0]);
        }
        client.socket.set_nonblocking(true).unwrap();
        client
    }

    /// A byte more. False: the server has ended it.
    fn goes_on(self, client: &mut Client) -> bool {
        let is_closed = |read: std::io::Result<usize>| match read {
            Ok(len) => len == 0,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        };
        match self {
            Self::Reading => !is_closed(client.socket.read(&mut [0])),
            Self::Head | Self::Body | Self::Message => {
                client.socket.write_all(b"x").is_ok() && !is_closed(client.socket.read(&mut [0; 4096]))
            }
        }
    }
}

/// One request after the other, 5 ms apart, while `goes_on`: how long each took.
fn ask(client: &mut Client, mut goes_on: impl FnMut() -> bool) -> Vec<Duration> {
    let mut times = Vec::new();
    while goes_on() {
        let begin = Instant::now();
        client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello");
        assert_eq!(client.response().unwrap().body, b"hello");
        times.push(begin.elapsed());
        thread::sleep(Duration::from_millis(5));
    }
    times.sort();
    times
}

fn told(times: &[Duration]) -> String {
    let part = |percent| times[(times.len() - 1) * percent / 100];
    format!("p50 {:?}, p99 {:?}, most {:?} of {}", part(50), part(99), part(100), times.len())
}

fn one_honest_among_thousands<R: Runtime>() {
    let server = start_with::<R, _, _>(config(), handle);
    let mut honest = server.connect();
    let mut left = 1000;
    let alone = ask(&mut honest, || {
        left -= 1;
        left > 0
    });
    let is_over = AtomicBool::new(false);
    let begin = Instant::now();
    // Not for ever, should one of them never be ended.
    let goes_on = || !is_over.load(Ordering::Relaxed) && begin.elapsed() < 2 * LAST;
    let (ends, beside) = thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&mut honest, goes_on));
        let address = server.address;
        scope.spawn(move || attack(address, goes_on));
        let ended: Vec<_> = (0..ATTACKERS * Attack::ALL.len())
            .map(|_| (server.next_end(), begin.elapsed().as_secs()))
            .collect();
        is_over.store(true, Ordering::Relaxed);
        let mut ends = BTreeMap::<&str, Vec<u64>>::new();
        for (ended, second) in ended {
            let name = match ended.kind() {
                // The handler has met it, and 408 was the answer.
                EndedKind::Unanswered => "body",
                EndedKind::Limit(exceeded) | EndedKind::WebSocket(Outcome::Exceeded(exceeded)) => {
                    match exceeded.limit {
                        Limit::HeadTime => "head",
                        Limit::MessageProgress => "message",
                        Limit::WriteProgress => "reading",
                        other => panic!("{other}"),
                    }
                }
                other => panic!("{other}"),
            };
            ends.entry(name).or_default().push(second);
        }
        (ends, asking.join().unwrap())
    });
    println!("S27 {}: alone {}; beside {} attackers {}", R::NAME, told(&alone), ATTACKERS * 4, told(&beside));
    for (name, seconds) in &ends {
        assert_eq!(seconds.len(), ATTACKERS, "{name}");
        println!("S27 {}: {name} ended in seconds {} to {}", R::NAME, seconds[0], seconds[ATTACKERS - 1]);
    }
    assert_eq!(ends.len(), Attack::ALL.len());
}

/// Connects them all, and then sends or takes a byte a second for each that is still there.
fn attack(address: SocketAddr, goes_on: impl Fn() -> bool) {
    let mut attackers: Vec<(Attack, Client)> = Vec::new();
    for _ in 0..ATTACKERS {
        attackers.extend(Attack::ALL.map(|attack| (attack, attack.begin(address))));
    }
    let mut next = Instant::now();
    while goes_on() {
        attackers.retain_mut(|(attack, client)| attack.goes_on(client));
        next += SECOND;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}
