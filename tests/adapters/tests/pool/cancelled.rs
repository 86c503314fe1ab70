//! S37 and S18: requests that are cancelled at every await point, and waits that are.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use endwell::Bytes;
use endwell::client::{Connection, NotUpgraded, Pool, PoolLimits, ResponseReader};
use endwell::http::Framing;

use crate::counted::{Counted, pool_with, until};
use crate::dialling::{Dialling, get, head, run};
use crate::server::{Asked, Peer, Server, serving};
use crate::support::{on_every_runtime, pattern};

on_every_runtime!(
    a_request,
    a_request_with_a_large_body,
    a_body_in_pieces,
    a_withheld_body,
    a_handshake,
    a_wait_for_a_connection,
    a_wait_that_is_given_up_loses_nothing
);

/// Polls so often at the most. `None`: it was not done by then.
async fn polled<T>(future: impl Future<Output = T>, mut times: usize) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if times == 0 {
            return Poll::Ready(None);
        }
        times -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if times == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Answers with what was asked and the length of its body, in pieces that arrive one by one.
fn slow_echo() -> Server {
    serving(|mut peer| {
        while let Some(asked) = peer.request() {
            answer_slowly(&mut peer, &asked);
        }
    })
}

fn answer_slowly(peer: &mut Peer, asked: &Asked) {
    let body = format!("{} {} {}", asked.method, asked.target, asked.body.len());
    let head = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let text = format!("{head}{:x}\r\n{body}\r\n0\r\nx: y\r\n\r\n", body.len());
    for (index, piece) in text.as_bytes().chunks(4).enumerate() {
        peer.send(piece);
        // Most of the pieces are read one by one then, and not all together.
        if index % 4 == 0 {
            thread::sleep(Duration::from_micros(200));
        }
    }
}

/// Does `cancelled` with more and more polls, over a pool with one place. After each, a request has its own answer.
fn at_every_point<R, F>(server: Server, cancelled: impl Fn(Pool<Counted<R::Connector>>, usize) -> F)
where
    R: Dialling,
    F: Future<Output = ()>,
{
    run::<R, _>(async {
        let mut limits = PoolLimits::default();
        (limits.per_origin, limits.connections) = (1, 1);
        let (pool, count) = pool_with::<R>(limits);
        let mut whole = 0;
        for polls in 0..150 {
            let is_whole = polled(cancelled(pool.clone(), polls), polls).await.is_some();
            whole += usize::from(is_whole);
            let target = format!("/{polls}/next");
            let mut received = pool.send(&server.origin(), &get(&target), "").await.unwrap();
            assert_eq!(received.read_all(100).await.unwrap(), format!("GET {target} 0"));
            assert!(pool.occupancy().connections <= 1);
            if whole == 3 {
                break;
            }
        }
        assert_eq!((whole, count.most()), (3, 1));
        drop(pool);
        until::<R>(|| count.open() == 0).await;
    });
}

async fn assert_own(received: &mut ResponseReader, method: &str, target: &str, len: usize) {
    assert_eq!(received.read_all(100).await.unwrap(), format!("{method} {target} {len}"));
}

fn a_request<R: Dialling>() {
    let server = slow_echo();
    let origin = server.origin();
    at_every_point::<R, _>(server, |pool, polls| {
        let origin = origin.clone();
        async move {
            let target = format!("/{polls}");
            let mut received = pool.send(&origin, &get(&target), "").await.unwrap();
            assert_own(&mut received, "GET", &target, 0).await;
            drop(received);
        }
    });
}

/// More than the sockets hold, so that it is cancelled half written too.
fn a_request_with_a_large_body<R: Dialling>() {
    const LEN: usize = 8 << 20;
    let body = Bytes::from(pattern(LEN));
    let server = serving(|mut peer| {
        while let Some(asked) = peer.request() {
            peer.send(format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{} {} {}",
                asked.method.len() + asked.target.len() + asked.body.len().to_string().len() + 2,
                asked.method,
                asked.target,
                asked.body.len()
            ));
        }
    });
    let origin = server.origin();
    at_every_point::<R, _>(server, |pool, polls| {
        let (origin, body) = (origin.clone(), body.clone());
        async move {
            let target = format!("/{polls}");
            let mut received = pool.send(&origin, &head("PUT", &target), body).await.unwrap();
            assert_own(&mut received, "PUT", &target, LEN).await;
        }
    });
}

fn a_body_in_pieces<R: Dialling>() {
    const PIECE: usize = 100_000;
    let server = slow_echo();
    let origin = server.origin();
    at_every_point::<R, _>(server, |pool, polls| {
        let origin = origin.clone();
        async move {
            let target = format!("/{polls}");
            let connection = pool.connection(&origin).await.unwrap();
            let (mut body, response) =
                connection.request(&head("PUT", &target), Framing::Length(3 * PIECE as u64));
            for _ in 0..3 {
                body.write(pattern(PIECE)).await.unwrap();
                body.flush().await.unwrap();
            }
            body.finish().unwrap();
            let mut received = response.await.unwrap();
            assert_own(&mut received, "PUT", &target, 3 * PIECE).await;
            drop(received.finish().await.unwrap());
        }
    });
}

fn a_withheld_body<R: Dialling>() {
    let server = serving(|mut peer| {
        while let Some(head) = peer.head() {
            let mut line = head.split(' ').map(str::to_owned);
            let (method, target) = (line.next().unwrap(), line.next().unwrap());
            let mut body = Vec::new();
            if head.contains("expect: 100-continue") {
                peer.send("HTTP/1.1 100 Continue\r\n\r\n");
                body = match peer.read(4) {
                    Some(body) => body,
                    None => return,
                };
            }
            answer_slowly(&mut peer, &Asked { method, target, body });
        }
    });
    let origin = server.origin();
    at_every_point::<R, _>(server, |pool, polls| {
        let origin = origin.clone();
        async move {
            let target = format!("/{polls}");
            let connection = pool.connection(&origin).await.unwrap();
            let (withheld, response) =
                connection.request_expecting(&head("PUT", &target), Framing::Length(4));
            let mut body = withheld.await.unwrap();
            body.write("body").await.unwrap();
            body.finish().unwrap();
            assert_own(&mut response.await.unwrap(), "PUT", &target, 4).await;
        }
    });
}

/// It is refused, which is an answer like any other.
fn a_handshake<R: Dialling>() {
    let server = slow_echo();
    let origin = server.origin();
    at_every_point::<R, _>(server, |pool, polls| {
        let origin = origin.clone();
        async move {
            let target = format!("/{polls}");
            let connection = pool.connection(&origin).await.unwrap();
            let offer = connection.offer("a", &target).unwrap();
            let refused = connection.upgrade(offer).await.unwrap_err();
            let NotUpgraded::Refused(mut received) = refused else { panic!("{refused}") };
            assert_own(&mut received, "GET", &target, 0).await;
        }
    });
}

/// Waits that are cancelled while others wait behind them.
fn a_wait_for_a_connection<R: Dialling>() {
    let server = slow_echo();
    let origin = server.origin();
    at_every_point::<R, _>(server, |pool, polls| {
        let origin = origin.clone();
        async move {
            let held = pool.connection(&origin).await.unwrap();
            let mut line: Vec<_> = (0..4).map(|_| Box::pin(pool.connection(&origin))).collect();
            for wait in &mut line {
                assert!(polled(wait.as_mut(), 1).await.is_none());
            }
            drop(line.remove(polls % 4));
            drop(held);
            drop(line.remove(polls % 3));
            for wait in line {
                drop(wait.await.unwrap());
            }
        }
    });
}

/// A wait that is dropped at every point and begun again: nothing is lost.
fn a_wait_that_is_given_up_loses_nothing<R: Dialling>() {
    const LEN: usize = 300_000;
    let server = slow_echo();
    run::<R, _>(async {
        let mut limits = PoolLimits::default();
        (limits.per_origin, limits.connections) = (1, 1);
        let (pool, _) = pool_with::<R>(limits);
        for polls in 1..20 {
            let target = format!("/{polls}");
            let connection = pool.connection(&server.origin()).await.unwrap();
            exchange(connection, &target, polls, LEN).await;
            assert_eq!(pool.occupancy().idle, 1);
        }
    });
    assert_eq!(server.accepted(), 1);
}

/// Calls again and again, and gives each call so many polls.
async fn again<T>(polls: usize, mut call: impl AsyncFnMut() -> T) -> T {
    loop {
        let mut call = pin!(call());
        if let Some(output) = polled(call.as_mut(), polls).await {
            return output;
        }
        // The connection's task has a turn while somebody waits: it reads for those who do.
        smol::future::yield_now().await;
    }
}

async fn exchange(connection: Connection, target: &str, polls: usize, len: usize) {
    let (mut body, mut response) = connection.request(&head("PUT", target), Framing::Length(len as u64));
    let mut rest = Bytes::from(pattern(len));
    while !rest.is_empty() {
        again(polls, async || body.ready().await.unwrap()).await;
        let mut write = body.write(rest.split_to(rest.len().min(30_000)));
        if polled(&mut write, polls).await.is_none() {
            // What was not handed over comes first the next time.
            let unwritten = write.into_rest();
            rest = [unwritten, rest].concat().into();
        }
    }
    again(polls, async || body.flush().await.unwrap()).await;
    body.finish().unwrap();
    while again(polls, async || response.interim().await).await.is_some() {}
    let mut received = again(polls, async || Pin::new(&mut response).await).await.unwrap();
    let mut all = Vec::new();
    while let Some(piece) = again(polls, async || received.read().await).await.unwrap() {
        all.extend_from_slice(&piece);
    }
    assert_eq!(String::from_utf8(all).unwrap(), format!("PUT {target} {len}"));
    assert!(received.trailers().unwrap().get("x").is_some());
}
