//! When a socket is opened again: in a time of its own, which passes when everything waits.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use endwell::client::Origin;
use endwell::http::{Response, StatusCode};
use endwell::tokio::{Stream, Tokio};
use endwell::ws::{self, CloseCode, ConnectError, Loss, LossCause, ReconnectEvent, Reconnecting};
use endwell::{Answered, Connector, Exchange, Info, Server, ServerConfig, with_state};
use tokio::io::DuplexStream;
use tokio::time::Instant;

use crate::aborted::aborted;

/// What becomes of an attempt.
#[derive(Clone, Copy)]
enum Attempt {
    /// There is no connection.
    Fails,
    /// The server closes the socket after this time.
    Lasts(Duration),
    /// The server refuses, and asks for this time.
    Refused(StatusCode, &'static str),
}

/// Connects to servers in memory, and remembers when.
#[derive(Clone)]
struct Scripted(Arc<Mutex<(VecDeque<Attempt>, Vec<Instant>)>>);

impl Scripted {
    fn new(attempts: impl IntoIterator<Item = Attempt>) -> Self {
        Self(Arc::new(Mutex::new((attempts.into_iter().collect(), Vec::new()))))
    }

    fn start(&self) -> Reconnecting {
        ws::connect("ws://a/").reconnecting(self.clone()).end_if(|_| false).start()
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap().1.last().unwrap()
    }
}

impl Connector for Scripted {
    type Transport = Stream<DuplexStream>;
    type Runtime = Tokio;

    async fn connect(&self, _: &Origin) -> io::Result<(Self::Transport, Info)> {
        let attempt = {
            let mut state = self.0.lock().unwrap();
            state.1.push(Instant::now());
            state.0.pop_front().unwrap_or(Attempt::Fails)
        };
        if let Attempt::Fails = attempt {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (near, far) = tokio::io::duplex(4096);
        let serve = async |attempt: Attempt, exchange: Exchange| {
            let open = match attempt {
                Attempt::Refused(status, time) => {
                    let head = Response::new(status).header("retry-after", time).unwrap();
                    return Ok(exchange.respond(head, ""));
                }
                Attempt::Lasts(time) => time,
                Attempt::Fails => Duration::ZERO,
            };
            let acceptance = exchange.acceptance();
            let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
            let _ = tokio::time::timeout(open, async { while socket.receive().await.is_some() {} }).await;
            Err::<Answered, _>(socket.close(CloseCode::GOING_AWAY).await)
        };
        let server = Server::new(ServerConfig::default(), with_state(attempt, serve));
        tokio::spawn(async move { server.connection(Stream::new(far), Tokio, Info::default()).await });
        Ok((Stream::new(near), Info::default()))
    }

    fn runtime(&self) -> Tokio {
        Tokio
    }
}

async fn loss(feed: &mut Reconnecting) -> Loss {
    loop {
        if let ReconnectEvent::Lost(loss) = feed.receive().await.unwrap() {
            return loss;
        }
    }
}

/// The next attempt is when the loss says, and not later than the bound for so many failures.
#[tokio::test(start_paused = true)]
async fn the_waits_grow_and_are_kept() {
    let server = Scripted::new([]);
    let mut feed = server.start();
    let mut last = loss(&mut feed).await;
    let mut longest_wait = Duration::ZERO;
    for failures in 1..=200_u32 {
        let (lost_at, wait) = (Instant::now(), last.wait.unwrap());
        assert_eq!(last.failures, failures);
        let longest =
            Duration::from_secs(5 << failures.saturating_sub(1).min(10)).min(Duration::from_secs(60));
        assert!(wait <= longest, "{wait:?} after {failures}");
        last = loss(&mut feed).await;
        let waited = server.last() - lost_at;
        assert!(waited >= wait && waited <= wait + Duration::from_millis(2), "{waited:?} for {wait:?}");
        longest_wait = longest_wait.max(wait);
    }
    assert!(longest_wait > Duration::from_secs(50), "{longest_wait:?} is the longest of 200");
}

/// A socket that lasted begins a new row of failures; one that did not does not.
#[tokio::test(start_paused = true)]
async fn a_socket_that_lasted_is_no_failure() {
    use Attempt::{Fails, Lasts};
    let (short, long) = (Lasts(Duration::from_secs(59)), Lasts(Duration::from_secs(61)));
    let server = Scripted::new([Fails, Fails, short, long, Fails, long, short]);
    let mut feed = server.start();
    let mut failures = Vec::new();
    for _ in 0..8 {
        failures.push(loss(&mut feed).await.failures);
    }
    assert_eq!(failures, [1, 2, 3, 1, 2, 1, 2, 3]);
}

/// Retry-After counts with 503 and 429, as seconds and as a date, and within its bound.
#[tokio::test(start_paused = true)]
async fn a_server_is_asked_when_it_wants_to_be() {
    let (busy, many) = (StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS);
    let cases = [
        (busy, "120", Some(120)),
        (many, "100", Some(100)),
        (busy, "86400", Some(3600)),
        (busy, "soon", None),
        (busy, "Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
        (StatusCode::INTERNAL_SERVER_ERROR, "120", None),
    ];
    let server = Scripted::new(cases.map(|(status, time, _)| Attempt::Refused(status, time)));
    let mut feed = server.start();
    for (failures, (status, time, expected)) in (1_u32..).zip(cases) {
        let lost = loss(&mut feed).await;
        assert_eq!((lost.status(), lost.failures), (Some(status), failures));
        assert!(matches!(lost.cause, LossCause::NotOpened(ConnectError::Refused(_))));
        let jitter = Duration::from_secs(5 << (failures - 1)).min(Duration::from_secs(60));
        let asked = Duration::from_secs(expected.unwrap_or(0));
        let wait = lost.wait.unwrap();
        assert!((asked..=asked + jitter).contains(&wait), "{status} {time}: {wait:?}");
    }
    let lost_at = Instant::now();
    let lost = loss(&mut feed).await;
    assert!(server.last() - lost_at <= Duration::from_secs(61) && lost.failures == 7);
}
