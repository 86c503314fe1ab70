//! Listeners and transports that do what a script says, where a real system does it too rarely.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use endwell::core::Instant;
use endwell::http::{Framing, StatusCode};
use endwell::{EndedKind, Exchange, Info, Listener, Server, ServerConfig, Timer, Transport, serve};

use crate::support::{Client, LONG, Runtime, on_every_runtime};

on_every_runtime!(accepting_goes_on);

/// A listener whose first calls fail.
struct Failing<L> {
    listener: L,
    errors: Mutex<VecDeque<io::Error>>,
}

impl<L: Listener + Sync> Listener for Failing<L> {
    type Transport = L::Transport;
    type Runtime = L::Runtime;

    async fn accept(&self) -> io::Result<(Self::Transport, Info)> {
        let error = self.errors.lock().unwrap().pop_front();
        match error {
            Some(error) => Err(error),
            None => self.listener.accept().await,
        }
    }

    fn runtime(&self) -> L::Runtime {
        self.listener.runtime()
    }
}

/// Out of descriptors for a while, and connections that failed in the backlog: the next client is served.
fn accepting_goes_on<R: Runtime>() {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    let client = thread::spawn(move || {
        let mut client = Client::connect(address);
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        client.response().unwrap().status
    });
    let errors = [EMFILE, EMFILE, ENFILE, EMFILE].map(io::Error::from_raw_os_error);
    let aborted = std::iter::repeat_with(|| io::ErrorKind::ConnectionAborted.into()).take(1000);
    let errors = Mutex::new(errors.into_iter().chain(aborted).collect());
    let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
    let waiting = thread::spawn(move || {
        let status = client.join().unwrap();
        drop(stop);
        status
    });
    let before = std::time::Instant::now();
    let counters = R::run(async move {
        let listener = Failing { listener: R::listen(socket), errors };
        let serving = serve(listener, ServerConfig::default(), async |exchange: Exchange| {
            exchange.respond(StatusCode::OK, "")
        });
        let counters = serving.counters();
        serving.until(async { stopping.await.unwrap_or(()) }).await;
        counters
    });
    assert_eq!(waiting.join().unwrap(), 200);
    assert_eq!((counters.accept_errors(), counters.accepted()), (1004, 1));
    // 5 + 10 + 20 + 40 ms for the four; none for those that are about one connection.
    assert!(before.elapsed() >= Duration::from_millis(75) && before.elapsed() < LONG / 4);
}

/// A stream on which the runtime cuts the task's turn short while a deadline has passed: nobody has looked whether
/// something is there.
struct TurnIsOver {
    first: bool,
    polls: Arc<AtomicU64>,
    looked: bool,
}

impl Transport for TurnIsOver {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let polls = self.polls.fetch_add(1, Ordering::Relaxed) + 1;
        self.looked = false;
        if self.first {
            self.first = false;
            buffer[..3].copy_from_slice(b"GET");
            return Poll::Ready(Ok(3));
        }
        match polls {
            2 => {
                self.looked = true;
                Poll::Pending
            }
            3..100 => Poll::Pending,
            100 => {
                let rest = b" / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
                buffer[..rest.len()].copy_from_slice(rest);
                Poll::Ready(Ok(rest.len()))
            }
            _ => Poll::Ready(Ok(0)),
        }
        .map(|read| {
            cx.waker().wake_by_ref();
            read
        })
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_end_write(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self) {}

    fn found_nothing(&self) -> bool {
        self.looked
    }
}

/// The clock of [`TurnIsOver`].
#[derive(Clone)]
struct Hours(Arc<AtomicU64>);

impl endwell::Runtime for Hours {
    type Timer = Self;

    fn timer(&self) -> Self {
        self.clone()
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Timer for Hours {
    fn now(&self) -> Instant {
        // Every look at the clock finds that another hour has passed.
        Instant::from_epoch(Duration::from_secs(3600 * self.0.load(Ordering::Relaxed)))
    }

    fn poll_sleep(self: Pin<&mut Self>, cx: &mut Context<'_>, _: Instant) -> Poll<()> {
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The task gives way and looks again; it neither spins nor ends what it has not looked at.
#[test]
fn a_turn_that_is_over_is_no_silence() {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let polls = Arc::<AtomicU64>::default();
        let transport = TurnIsOver { first: true, polls: Arc::clone(&polls), looked: false };
        let server = Server::new(ServerConfig::default(), async |exchange: Exchange| {
            exchange.respond(StatusCode::OK, "")
        });
        let mut serving = std::pin::pin!(server.connection(transport, Hours(polls), Info::default()));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut turns = 0;
        let ended = loop {
            turns += 1;
            if let Poll::Ready(ended) = serving.as_mut().poll(&mut cx) {
                break ended;
            }
        };
        let _ = tell.send((ended, turns));
    });
    let (ended, turns) = told.recv_timeout(LONG / 4).expect("turns that end");
    assert!(matches!(ended.kind(), EndedKind::Announced), "{ended}");
    assert!(turns > 90, "{turns} turns");
}

/// A stream with a layer that takes every byte while its peer reads nothing. Without
/// `flushes` it cannot pass them on, and it never comes to end the stream.
struct HoldsBack {
    request: &'static [u8],
    flushes: bool,
}

impl Transport for HoldsBack {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.request.is_empty() {
            return Poll::Pending;
        }
        let request = std::mem::take(&mut self.request);
        buffer[..request.len()].copy_from_slice(request);
        Poll::Ready(Ok(request.len()))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.flushes { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_end_write(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn reset(&mut self) {}
}

/// Time passes only where the connection sleeps.
#[derive(Clone, Default)]
struct Slept {
    now: Arc<Mutex<Duration>>,
    sleeping: Arc<Mutex<Option<Duration>>>,
}

impl endwell::Runtime for Slept {
    type Timer = Self;

    fn timer(&self) -> Self {
        self.clone()
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Timer for Slept {
    fn now(&self) -> Instant {
        Instant::from_epoch(*self.now.lock().unwrap())
    }

    fn poll_sleep(self: Pin<&mut Self>, _: &mut Context<'_>, until: Instant) -> Poll<()> {
        *self.sleeping.lock().unwrap() = Some(until.since_epoch());
        Poll::Pending
    }
}

/// Serves a request on such a stream. When it ended.
fn held_back(request: &'static [u8], flushes: bool) -> Duration {
    let slept = Slept::default();
    let server = Server::new(ServerConfig::default(), async |exchange: Exchange| {
        let (_, mut response) = exchange.start(StatusCode::OK, Framing::Length(5));
        response.write("hello").await?;
        if !flushes {
            let _ = response.flush().await;
        }
        response.finish()
    });
    let transport = HoldsBack { request, flushes };
    let mut serving = std::pin::pin!(server.connection(transport, slept.clone(), Info::default()));
    let mut cx = Context::from_waker(std::task::Waker::noop());
    while serving.as_mut().poll(&mut cx).is_pending() {
        let until = slept.sleeping.lock().unwrap().take();
        *slept.now.lock().unwrap() = until.expect("a deadline for whatever is waited for");
    }
    *slept.now.lock().unwrap()
}

/// What a layer below holds back has a deadline like what is queued, and so has the end of the stream.
#[test]
fn what_is_held_back_below_has_a_deadline() {
    let keeps = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let closes = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    for (request, flushes) in [(&keeps[..], false), (closes, false), (closes, true)] {
        let ended = held_back(request, flushes);
        assert!(ended >= Duration::from_secs(1) && ended <= Duration::from_secs(62), "{ended:?}");
    }
}
