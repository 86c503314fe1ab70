//! S49 and S52, write by write: what leaves with what, and what had arrived when a response was made.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use endwell::core::Instant;
use endwell::http::{Framing, StatusCode};
use endwell::{Answered, Ended, Exchange, Info, Runtime, Server, ServerConfig, Timer, Transport};

/// The peer's end of a stream on which nothing is fast or slow by itself.
#[derive(Clone, Default)]
struct Peer(Arc<Mutex<Wire>>);

#[derive(Default)]
struct Wire {
    arriving: VecDeque<Vec<u8>>,
    /// One entry a write.
    written: Vec<String>,
    now: Duration,
    sleeping: Option<Duration>,
}

impl Peer {
    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap()
    }

    fn sends(&self, bytes: impl AsRef<[u8]>) {
        self.wire().arriving.push_back(bytes.as_ref().to_vec());
    }

    fn written(&self) -> Vec<String> {
        std::mem::take(&mut self.wire().written)
    }
}

impl Transport for Peer {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let Some(bytes) = self.wire().arriving.pop_front() else { return Poll::Pending };
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        self.wire().written.push(String::from_utf8(bytes.clone()).unwrap());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_end_write(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self) {}
}

impl Runtime for Peer {
    type Timer = Self;

    fn timer(&self) -> Self {
        self.clone()
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Timer for Peer {
    fn now(&self) -> Instant {
        Instant::from_epoch(self.wire().now)
    }

    fn poll_sleep(self: Pin<&mut Self>, _: &mut Context<'_>, until: Instant) -> Poll<()> {
        let mut wire = self.wire();
        wire.sleeping = Some(until.since_epoch());
        if until.since_epoch() <= wire.now { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Serves a peer. `turn` gives the connection's task as many turns as it takes.
fn serve<F>(handler: impl Fn(Exchange) -> F, plot: impl FnOnce(&Peer, &mut dyn FnMut()))
where
    F: Future<Output = Result<Answered, Ended>>,
{
    let peer = Peer::default();
    let server = Server::new(ServerConfig::default(), handler);
    let mut serving = pin!(server.connection(peer.clone(), peer.clone(), Info::default()));
    let mut cx = Context::from_waker(Waker::noop());
    plot(&peer, &mut || {
        for _ in 0..10 {
            assert!(serving.as_mut().poll(&mut cx).is_pending(), "the connection is kept");
        }
    });
}

const EXPECTS: &str = "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

async fn echoes(exchange: Exchange) -> Result<Answered, Ended> {
    let (mut request, mut response) = exchange.start(StatusCode::OK, Framing::Length(5));
    while let Some(piece) = request.read().await? {
        response.write(piece).await?;
    }
    response.finish()
}

async fn writes_first(exchange: Exchange) -> Result<Answered, Ended> {
    let (_request, mut response) = exchange.start(StatusCode::OK, Framing::Length(5));
    response.write("hello").await?;
    response.flush().await?;
    response.finish()
}

async fn never_reads(exchange: Exchange) -> Result<Answered, Ended> {
    let (_request, _response) = exchange.start(StatusCode::OK, Framing::Length(5));
    std::future::pending().await
}

async fn ends_at_once(exchange: Exchange) -> Result<Answered, Ended> {
    let (_request, mut response) = exchange.start(StatusCode::OK, Framing::Length(5));
    response.write("hello").await?;
    response.finish()
}

fn waits_for_the_body<F>(handler: impl Fn(Exchange) -> F + Copy)
where
    F: Future<Output = Result<Answered, Ended>>,
{
    serve(handler, |peer, turn| {
        peer.sends(EXPECTS);
        turn();
        assert_eq!(peer.written(), [CONTINUE]);
        peer.sends("hello");
        turn();
        assert!(peer.written()[0].starts_with("HTTP/1.1 200 OK\r\n"));
    });
    serve(handler, |peer, turn| {
        peer.sends(EXPECTS);
        turn();
        assert_eq!(peer.written(), [CONTINUE]);
        let until = peer.wire().sleeping.unwrap();
        assert_eq!(until, Duration::from_secs(1));
        peer.wire().now = until.saturating_sub(Duration::from_nanos(1));
        turn();
        assert!(peer.written().is_empty());
        peer.wire().now = until;
        turn();
        assert!(peer.written()[0].starts_with("HTTP/1.1 200 OK\r\n"));
    });
}

/// HAProxy 2.6 loses a final response that it reads together with the 100. A client that sends nothing gets it too.
#[test]
fn a_started_response_waits_behind_the_100_for_the_body_and_no_longer_than_a_second() {
    waits_for_the_body(echoes);
    waits_for_the_body(writes_first);
    waits_for_the_body(never_reads);
    waits_for_the_body(ends_at_once);
}

/// A client that did not wait is not told to.
#[test]
fn nothing_waits_where_the_body_has_arrived() {
    for arrives_apart in [false, true] {
        serve(echoes, |peer, turn| {
            peer.sends(if arrives_apart { EXPECTS.to_owned() } else { format!("{EXPECTS}hello") });
            if arrives_apart {
                peer.sends("hello");
            }
            turn();
            let written = peer.written().concat();
            assert!(
                written.starts_with("HTTP/1.1 200 OK\r\n") && written.ends_with("\r\n\r\nhello"),
                "{written}"
            );
        });
    }
}

const CHUNKED: &str = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
const CHUNKS: &str = "5\r\nhello\r\n0\r\nx: y\r\n\r\n";
const NEXT: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// With the head, with the next request behind it, or while the handler was at work: it is not left to the split.
#[test]
fn an_unread_body_in_chunks_that_has_arrived_keeps_the_connection() {
    let works = Cell::new(false);
    let handler = async |exchange: Exchange| {
        poll_fn(|_| if works.get() { Poll::Pending } else { Poll::Ready(()) }).await;
        Ok(exchange.respond(StatusCode::OK, "unread"))
    };
    let kept = |peer: &Peer, responses: usize| {
        let written = peer.written().concat();
        assert_eq!(written.matches("HTTP/1.1 200 OK").count(), responses, "{written}");
        assert!(!written.contains("connection: close"), "{written}");
    };
    serve(handler, |peer, turn| {
        peer.sends(format!("{CHUNKED}{CHUNKS}"));
        turn();
        kept(peer, 1);
        peer.sends(format!("{CHUNKED}{CHUNKS}{NEXT}"));
        turn();
        kept(peer, 2);
        works.set(true);
        peer.sends(CHUNKED);
        turn();
        assert!(peer.written().is_empty());
        let (some, rest) = CHUNKS.split_at(7);
        peer.sends(some);
        peer.sends(format!("{rest}{NEXT}"));
        works.set(false);
        turn();
        kept(peer, 2);
    });
}
