//! Many idle WebSockets in one process, over a transport in memory: bytes a connection, the cost of pings, of a message for all,
//! and of closing all.
//!
//!   memory [--connections N, default 100000] [--idle SECONDS, default 45] [--threads N, default 1] [--echoes N, default 100]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use endwell::tokio::Tokio;
use endwell::ws::{Close, Outlet, WhenFull, broadcast};
use endwell::{Answered, Ended, Exchange, Info, Server, ServerConfig, with_state};
use endwell_bench_scale::peer::{Peer, Seen, Wire, send};
use endwell_bench_scale::{cpu, resident};

#[derive(Default)]
struct App {
    outlets: Mutex<Vec<Outlet>>,
}

async fn handler(app: Arc<App>, exchange: Exchange) -> Result<Answered, Ended> {
    let acceptance = exchange.acceptance();
    let mut socket = match exchange.accept(acceptance) {
        Ok(socket) => socket,
        Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), "")),
    };
    app.outlets.lock().unwrap_or_else(PoisonError::into_inner).push(socket.outlet());
    while let Some(message) = socket.receive_data().await {
        socket.send(message).await?;
    }
    Err(socket.close(Close::EMPTY).await)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    use lexopt::prelude::*;
    let (mut connections, mut idle, mut threads, mut echoes, mut ping) = (100_000_u64, 45, 1, 100, 20_000);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("connections") => connections = arguments.value()?.parse()?,
            Long("idle") => idle = arguments.value()?.parse()?,
            Long("echoes") => echoes = arguments.value()?.parse()?,
            Long("ping") => ping = arguments.value()?.parse()?,
            Long("threads") => threads = arguments.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let runtime = match threads {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        _ => tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?,
    };
    runtime.block_on(async {
        run(connections, Duration::from_secs(idle), echoes, Duration::from_millis(ping)).await
    });
    Ok(())
}

struct Meter(Instant, Duration);

impl Meter {
    fn start() -> Self {
        Self(Instant::now(), cpu())
    }

    /// Prints the time since the start, and the processor time of each of `count`.
    fn stop(self, what: &str, count: u64) {
        let (wall, busy) = (self.0.elapsed(), cpu() - self.1);
        let each = busy.as_secs_f64() * 1e9 / count.max(1) as f64;
        println!(
            "{what}: {:.2} s, CPU {:.2} s, {each:.0} ns each of {count}",
            wall.as_secs_f64(),
            busy.as_secs_f64()
        );
    }
}

async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn run(connections: u64, idle: Duration, echoes: u64, ping: Duration) {
    let mut config = ServerConfig::default();
    config.connections = usize::try_from(connections).unwrap_or(usize::MAX) + 1;
    config.held_bytes = 16 << 30;
    config.ws.ping_interval = Some(ping);
    let (app, seen, ended) =
        (Arc::new(App::default()), Arc::new(Seen::default()), Arc::new(AtomicU64::new(0)));
    let count = Arc::clone(&ended);
    let config = config.on_end(move |_, _| {
        count.fetch_add(1, Relaxed);
    });
    let server = Server::new(config, with_state(Arc::clone(&app), handler));

    let before = resident();
    let meter = Meter::start();
    let mut peers: Vec<Arc<Mutex<Peer>>> = Vec::new();
    for number in 0..connections {
        let (wire, peer) = Wire::new(&seen);
        if number < echoes {
            peers.push(peer);
        }
        tokio::spawn(server.connection(wire, Tokio, Info::default()));
        if number % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    until(|| seen.handshakes.load(Relaxed) == connections).await;
    meter.stop("handshakes", connections);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let open = resident();
    println!(
        "resident: {} bytes a connection, the peer's end ({} bytes) included",
        (open - before) / connections,
        size_of::<Peer>() + 32
    );

    let pings = seen.pings.load(Relaxed);
    let meter = Meter::start();
    tokio::time::sleep(idle).await;
    meter.stop("idle, with pings", seen.pings.load(Relaxed) - pings);

    let mut times: Vec<Duration> = Vec::new();
    for peer in &peers {
        let (messages, start) = (seen.messages.load(Relaxed), Instant::now());
        send(peer, "an honest echo");
        while seen.messages.load(Relaxed) == messages {
            tokio::task::yield_now().await;
        }
        times.push(start.elapsed());
        if start.elapsed() > Duration::from_millis(500) {
            println!("late: {:?}", start.elapsed());
        }
    }
    times.sort_unstable();
    println!("an echo beside them: median {:?}, worst {:?}", times[times.len() / 2], times[times.len() - 1]);

    let messages = seen.messages.load(Relaxed);
    let meter = Meter::start();
    {
        let outlets = app.outlets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        broadcast("x".repeat(100), outlets.iter().map(|outlet| (outlet, WhenFull::DropOldest))).await;
    }
    until(|| seen.messages.load(Relaxed) == messages + connections).await;
    meter.stop("a message for all", connections);
    println!("resident after it: {} bytes a connection", (resident() - before) / connections);

    app.outlets.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let meter = Meter::start();
    let report = server.shutdown(Duration::from_secs(120)).await;
    until(|| ended.load(Relaxed) == connections).await;
    meter.stop("closing all", connections);
    println!("closed by a Close frame: {}, late: {}", seen.closes.load(Relaxed), report.late.len());
    println!("resident in the end: {} MiB more than before", resident().saturating_sub(before) >> 20);
}
