//! Thousands of clients leave for good, against a listener of 100: each frees its slot within its limits, and an honest
//! client beside them is served all the time.
//!
//! By default 10,000 leave by each of FIN, RST and both on tokio, 500 on each other runtime, and a tenth of that in
//! silence. `LEFT=10000` sets the number for all of them: `LEFT=10000 cargo test -p endwell-tests --test scenarios left -- --nocapture --test-threads 1`.
//!
//! A cable that is cut is simulated by a socket filter that accepts nothing. It is noticed by pings here; where there are
//! none the kernel notices it within minutes, which is in the simulation.

use std::future::pending;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use endwell::core::Pace;
use endwell::http::{Interim, StatusCode};
use endwell::{Answered, Ended, Exchange, ServerConfig};
use socket2::{SockFilter, SockRef};

use crate::aborted::aborted;
use crate::support::{Client, LONG, Running, Runtime, on_every_runtime, start_with};

on_every_runtime!(thousands_that_left_hold_no_slot);

const CONNECTIONS: usize = 100;

/// More than fit at a time.
const BATCH: usize = 120;

/// For every limit that a peer who left meets.
const SHORT: Duration = Duration::from_millis(20);

const PATHS: [&str; 3] = ["/long-polls", "/waits", "/sends"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Fin,
    Reset,
    FinThenReset,
    /// The cable is cut.
    Silence,
}

const WAYS: [Way; 4] = [Way::Fin, Way::Reset, Way::FinThenReset, Way::Silence];

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.connections = CONNECTIONS;
    config.half_closed = Some(SHORT);
    config.handler_grace = SHORT;
    config.ws.ping_interval = Some(SHORT);
    config.ws.pong_time = SHORT;
    config.ws.close_time = SHORT;
    // What is not acknowledged is judged by this.
    config.output.pace = Pace::silence(SHORT);
    config
}

async fn handle<R: Runtime>(mut exchange: Exchange) -> Result<Answered, Ended> {
    match exchange.path() {
        "/long-polls" => {
            exchange.interim(&Interim::early_hints());
            pending::<()>().await;
            Ok(exchange.respond(StatusCode::OK, "never"))
        }
        path @ ("/waits" | "/sends") => {
            let sends = path == "/sends";
            let acceptance = exchange.acceptance();
            let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
            while sends && socket.send("tick").await.is_ok() {
                R::sleep(SHORT / 4).await;
            }
            pending::<()>().await;
            drop(socket);
            Err(aborted())
        }
        _ => Ok(exchange.respond(StatusCode::OK, "served")),
    }
}

fn request(path: &str) -> String {
    let upgrade = if path == "/long-polls" {
        ""
    } else {
        "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\
            sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    };
    format!("GET {path} HTTP/1.1\r\nhost: a\r\n{upgrade}\r\n")
}

/// Leaves. A silent socket is kept, or its kernel would send an end.
fn leave(socket: TcpStream, way: Way) -> Option<TcpStream> {
    match way {
        Way::Fin => drop(socket),
        Way::Reset => SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap(),
        Way::FinThenReset => {
            // The server may have ended it.
            let _ = socket.shutdown(Shutdown::Write);
            SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
        }
        Way::Silence => {
            // It accepts no byte of any packet: BPF_RET | BPF_K.
            SockRef::from(&socket).attach_filter(&[SockFilter::new(0x06, 0, 0, 0)]).unwrap();
            return Some(socket);
        }
    }
    None
}

/// Clients that ask and leave: every second at once, and the others when their handler has begun. Returns those that are
/// kept.
fn connect_and_leave(server: &Running, way: Way, path: &str, count: usize) -> Vec<TcpStream> {
    let mut staying = Vec::new();
    for number in 0..count {
        let mut client = server.connect();
        client.send(request(path));
        if number % 2 == 0 && way != Way::Silence {
            leave(client.socket, way);
        } else {
            staying.push(client);
        }
    }
    let leave_later = |mut client: Client| {
        assert!(client.read_exactly(12).starts_with(b"HTTP/1.1 10"));
        leave(client.socket, way)
    };
    staying.into_iter().filter_map(leave_later).collect()
}

/// Every connection so far has ended. Those that left in the queue of the listener may not have been accepted.
struct Ends<'a> {
    server: &'a Running,
    seen: u64,
    /// Of clients that are still there.
    open: u64,
}

impl Ends<'_> {
    fn wait(&mut self) {
        while self.seen + self.open < self.server.counters.accepted() {
            self.server.next_end();
            self.seen += 1;
        }
    }
}

/// One request after the other, while `goes_on`: the longest that one took.
fn ask(client: &mut Client, goes_on: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while goes_on.load(Ordering::Relaxed) {
        longest = longest.max(ask_once(client, ""));
        thread::sleep(Duration::from_millis(5));
    }
    longest
}

fn ask_once(client: &mut Client, field: &str) -> Duration {
    let begin = Instant::now();
    client.send(format!("GET / HTTP/1.1\r\nhost: a\r\n{field}\r\n"));
    assert_eq!(client.response().unwrap().body, b"served");
    begin.elapsed()
}

fn thousands_that_left_hold_no_slot<R: Runtime>() {
    let asked = std::env::var("LEFT").ok().map(|text| text.parse().unwrap());
    let usual = if R::NAME == "tokio" { 10_000 } else { 500 };
    let mut server = start_with::<R, _, _>(config(), handle::<R>);
    let mut honest = server.connect();
    ask_once(&mut honest, "");
    let goes_on = AtomicBool::new(true);
    thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&mut honest, &goes_on));
        let mut ends = Ends { server: &server, seen: 0, open: 1 };
        for way in WAYS {
            let begin = Instant::now();
            // Each of these takes its limits.
            let usual = if way == Way::Silence { usual / 10 } else { usual };
            let count = asked.unwrap_or(usual);
            let mut slowest = Duration::ZERO;
            // Silence under a handler that writes nothing is noticed by the kernel alone.
            let paths = if way == Way::Silence { &PATHS[1..] } else { &PATHS };
            let mut left = 0;
            for path in paths.iter().cycle() {
                if left == count {
                    break;
                }
                let batch = (if way == Way::Silence { CONNECTIONS - 2 } else { BATCH }).min(count - left);
                let kept = connect_and_leave(&server, way, path, batch);
                left += batch;
                let newcomer = Instant::now();
                // Behind all of them in the queue.
                ask_once(&mut server.connect(), "connection: close\r\n");
                slowest = slowest.max(newcomer.elapsed());
                ends.wait();
                drop(kept);
            }
            println!(
                "{}: {left} left by {way:?} in {:.1?}; the slowest newcomer was served in {slowest:.1?}",
                R::NAME,
                begin.elapsed()
            );
            assert!(slowest < LONG / 4, "{slowest:?}");
        }
        goes_on.store(false, Ordering::Relaxed);
        let longest = asking.join().unwrap();
        println!("{}: the longest answer to the honest client took {longest:.1?}", R::NAME);
        assert!(longest < LONG / 4, "{longest:?}");
    });
    drop(honest);
    server.stop();
    server.wait();
    assert_eq!(server.counters.accepted(), server.counters.ended(), "no slot is taken");
}
