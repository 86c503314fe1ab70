//! S23: requests over three connections to a server that closes a while after each response, and says so or not.
//!
//! Each request that comes meanwhile is lost: the server reads no more. One that may be sent again has its answer all the
//! same; one that may not is told to be unsafe. The whole count is `--ignored`, with figures on `--nocapture`.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use endwell::Connector;
use endwell::client::{Pool, RequestError, SendError};

use crate::counted::bounded;
use crate::dialling::{Dialling, head, run};
use crate::server::{Server, serving};
use crate::support::on_every_runtime;

on_every_runtime!(
    no_get_fails,
    a_post_is_told_whether_it_is_safe,
    #[ignore = "takes minutes"]
    in_full
);

const CONNECTIONS: usize = 3;
const DELAYS: [u64; 4] = [0, 1, 5, 20];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Close {
    Announced,
    Silent,
}

/// What has come of some requests.
#[derive(Default, PartialEq, Eq)]
struct Figures {
    requests: usize,
    failures: usize,
    retries: usize,
    connections: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, failures, retries, connections } = self;
        write!(f, "{requests:>8} {failures:>8} {retries:>8} {connections:>11}")
    }
}

/// Answers one request of each connection and closes after `delay`. Counts the answers.
fn closing(delay: Duration, close: Close) -> (Server, Arc<AtomicUsize>) {
    let answers = Arc::<AtomicUsize>::default();
    let server = serving({
        let answers = Arc::clone(&answers);
        move |mut peer| {
            let Some(asked) = peer.request() else { return };
            answers.fetch_add(1, Ordering::SeqCst);
            match close {
                Close::Announced => peer.answer_last(&asked),
                Close::Silent => peer.answer(&asked),
            }
            thread::sleep(delay);
        }
    });
    (server, answers)
}

/// Sends so many requests, each connection's worth in a task of its own.
async fn ask<R: Dialling>(method: &'static str, requests: usize, server: &Server) -> Figures {
    let pool = bounded::<R>(CONNECTIONS, CONNECTIONS);
    let (tell, told) = mpsc::channel();
    for task in 0..CONNECTIONS {
        let (pool, origin, tell) = (pool.clone(), server.origin(), tell.clone());
        R::spawn(async move {
            for number in (task..requests).step_by(CONNECTIONS) {
                let target = format!("/{number}");
                tell.send(one(&pool, &origin, method, &target).await).unwrap();
            }
        });
    }
    drop(tell);
    let mut figures = Figures::default();
    while figures.requests < requests {
        for (failures, retries) in told.try_iter() {
            figures.requests += 1;
            figures.failures += failures;
            figures.retries += retries;
        }
        R::sleep(Duration::from_millis(1)).await;
    }
    figures.connections = server.accepted();
    figures
}

/// Failures, and how often it was sent again.
async fn one(
    pool: &Pool<impl Connector>,
    origin: &endwell::client::Origin,
    method: &str,
    target: &str,
) -> (usize, usize) {
    match pool.send(origin, &head(method, target), "").await {
        Ok(mut received) => {
            assert_eq!(received.read_all(100).await.unwrap(), format!("{method} {target}"));
            (0, received.retries() as usize)
        }
        Err(error) => {
            let SendError::Failed { failure: RequestError::Unanswered(_), retries, is_safe_to_retry: false } =
                &error
            else {
                panic!("{error}")
            };
            assert!(error.to_string().ends_with("safe to retry: no"), "{error}");
            (1, *retries as usize)
        }
    }
}

fn no_get_fails<R: Dialling>() {
    for delay in DELAYS.map(Duration::from_millis) {
        for close in [Close::Announced, Close::Silent] {
            let (server, answers) = closing(delay, close);
            let figures = run::<R, _>(ask::<R>("GET", 60, &server));
            assert_eq!((figures.requests, figures.failures), (60, 0));
            assert_eq!(answers.load(Ordering::SeqCst), 60);
            if close == Close::Announced {
                assert_eq!(figures.retries, 0);
            }
        }
    }
}

/// Each was answered once, or never was and the error says that it may have been.
fn a_post_is_told_whether_it_is_safe<R: Dialling>() {
    for delay in DELAYS.map(Duration::from_millis) {
        for close in [Close::Announced, Close::Silent] {
            let (server, answers) = closing(delay, close);
            let figures = run::<R, _>(ask::<R>("POST", 30, &server));
            assert_eq!((figures.requests, answers.load(Ordering::SeqCst)), (30, 30 - figures.failures));
            // One that was not sent, since the server had left already, is sent again safely.
            match close {
                Close::Announced => assert_eq!((figures.failures, figures.retries), (0, 0)),
                Close::Silent if delay > Duration::ZERO => assert!(figures.failures > 0),
                Close::Silent => {}
            }
        }
    }
}

fn in_full<R: Dialling>() {
    println!("{}: the server closes   method requests failures  retries connections", R::NAME);
    for (method, requests) in [("GET", 20_000), ("POST", 2_000)] {
        for delay in DELAYS {
            for (close, name) in [(Close::Announced, "announced"), (Close::Silent, "silent")] {
                let (server, answers) = closing(Duration::from_millis(delay), close);
                let figures = R::run(ask::<R>(method, requests, &server));
                println!("  after {delay:>2} ms, {name:<9}      {method:<4} {figures}");
                assert_eq!(answers.load(Ordering::SeqCst), requests - figures.failures);
                assert!(figures.failures == 0 || (method == "POST" && close == Close::Silent));
            }
        }
    }
}
