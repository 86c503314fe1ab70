//! A server on a transport in memory, for counting instructions: `observed http|ws off|hook|trace|metrics N`.
//!
//! `http`: N requests, one after the other. `ws`: N messages that are sent back, 16 at a time. `trace` and `metrics` need
//! feature `on`.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use endwell::http::StatusCode;
use endwell::ws::Close;
use endwell::{Ended, Exchange, Info, Instant, Runtime, Server, ServerConfig, Timer, Transport};

const GET: &[u8] = b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

const HANDSHAKE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

const MESSAGE: &[u8] = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";

/// Gives `first`, then `rest` for so many times, then the end.
struct Memory {
    /// What is given now.
    now: &'static [u8],
    rest: &'static [u8],
    times: usize,
    /// More comes when what was answered to the last was written.
    may_read: bool,
}

impl Transport for Memory {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if !self.may_read {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let len = self.now.len().min(buffer.len());
        let (part, now) = self.now.split_at(len);
        buffer[..len].copy_from_slice(part);
        self.now = now;
        if now.is_empty() && self.times > 0 {
            (self.now, self.times) = (self.rest, self.times - 1);
            self.may_read = false;
        }
        Poll::Ready(Ok(len))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.may_read = true;
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_end_write(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self) {}
}

/// No task and no time.
#[derive(Clone)]
struct Still;

impl Timer for Still {
    fn now(&self) -> Instant {
        Instant::default()
    }

    fn poll_sleep(self: Pin<&mut Self>, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

impl Runtime for Still {
    type Timer = Self;

    fn timer(&self) -> Self {
        Self
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

async fn handle(exchange: Exchange) -> Result<endwell::Answered, Ended> {
    if exchange.path() == "/hello" {
        return Ok(exchange.respond(StatusCode::OK, "hello"));
    }
    let acceptance = exchange.acceptance();
    let Ok(mut socket) = exchange.accept(acceptance) else { panic!("a handshake") };
    while let Some(message) = socket.receive().await {
        socket.send(message).await?;
    }
    Err(socket.close(Close::EMPTY).await)
}

fn config(observed: &str) -> ServerConfig {
    let config = ServerConfig::default();
    match observed {
        "hook" => config.on_exchange(|report| assert!(report.status().is_some())),
        #[cfg(feature = "on")]
        "trace" => {
            tracing_subscriber::fmt().with_writer(io::sink).init();
            config
        }
        #[cfg(feature = "on")]
        "metrics" => {
            metrics_exporter_prometheus::PrometheusBuilder::new()
                .install_recorder()
                .expect("the first recorder");
            config.metrics(true)
        }
        "off" => config,
        other => panic!("{other}, without feature `on`?"),
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [protocol, observed, count] = &arguments[..] else { panic!("http|ws off|hook|trace|metrics N") };
    let count: usize = count.parse().expect("a number");
    let memory = match protocol.as_str() {
        "http" => Memory { now: GET, rest: GET, times: count - 1, may_read: true },
        _ => Memory { now: HANDSHAKE, rest: MESSAGE.repeat(16).leak(), times: count / 16, may_read: true },
    };
    let server = Server::new(config(observed), handle);
    let mut running = pin!(server.connection(memory, Still, Info::default()));
    let mut cx = Context::from_waker(Waker::noop());
    let ended = loop {
        if let Poll::Ready(ended) = running.as_mut().poll(&mut cx) {
            break ended;
        }
    };
    println!("{} exchanges, {ended}", server.counters().exchanges());
}
