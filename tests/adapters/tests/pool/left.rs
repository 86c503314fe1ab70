//! Servers that leave, or say what nobody asked, while a connection is idle: it is never handed out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use endwell::client::PoolLimits;

use crate::counted::{Count, bounded, pool_with, settled, until};
use crate::dialling::{Dialling, get, head, run};
use crate::server::{Peer, Server, serving};
use crate::support::on_every_runtime;

on_every_runtime!(
    by_closing,
    by_a_reset,
    by_saying_what_nobody_asked,
    by_half_a_word,
    a_server_that_went_away_leaves_nothing,
    right_behind_the_response,
    while_it_is_handed_out,
    while_the_runtime_has_no_turn
);

/// Answers one request, and does something to the idle connection when told. The second connection behaves.
fn spoiled(spoil: impl Fn(Peer) + Send + Sync + 'static) -> (Server, mpsc::Sender<()>) {
    let (go, gone) = mpsc::channel();
    let gone = std::sync::Mutex::new(gone);
    let server = serving(move |mut peer| {
        while let Some(asked) = peer.request() {
            peer.answer(&asked);
            if peer.number == 1 {
                gone.lock().unwrap().recv().unwrap();
                return spoil(peer);
            }
        }
    });
    (server, go)
}

fn never_handed_out<R: Dialling>(spoil: impl Fn(Peer) + Send + Sync + 'static) {
    let (server, go) = spoiled(spoil);
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        drop(pool.send(&server.origin(), &get("/1"), "").await.unwrap());
        settled::<R>(&pool, 1, 1).await;
        go.send(()).unwrap();
        settled::<R>(&pool, 0, 0).await;
        // Not repeatable, so it would show.
        let mut received = pool.send_as(&server.origin(), &head("POST", "/2"), "", false).await.unwrap();
        assert_eq!((received.retries(), server.accepted()), (0, 2));
        assert_eq!(received.read_all(100).await.unwrap(), "POST /2");
    });
}

fn by_closing<R: Dialling>() {
    never_handed_out::<R>(drop);
}

fn by_a_reset<R: Dialling>() {
    never_handed_out::<R>(Peer::reset);
}

fn by_saying_what_nobody_asked<R: Dialling>() {
    never_handed_out::<R>(|mut peer| {
        peer.send("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        peer.until_left();
    });
}

fn by_half_a_word<R: Dialling>() {
    never_handed_out::<R>(|mut peer| {
        peer.send("H");
        peer.until_left();
    });
}

fn a_server_that_went_away_leaves_nothing<R: Dialling>() {
    const MANY: usize = 20;
    let server = crate::server::echoing();
    run::<R, _>(async {
        let (pool, count): (_, Arc<Count>) = pool_with::<R>(PoolLimits::default());
        let mut held = Vec::new();
        for _ in 0..MANY {
            held.push(pool.connection(&server.origin()).await.unwrap());
        }
        drop(held);
        assert_eq!(pool.occupancy().idle, MANY);
        drop(server);
        settled::<R>(&pool, 0, 0).await;
        assert_eq!(count.open(), 0);
    });
}

/// A second response in the same segment is nobody's.
fn right_behind_the_response<R: Dialling>() {
    let server = serving(|mut peer| {
        let Some(asked) = peer.request() else { return };
        let one = crate::server::response(&asked, "");
        peer.send(format!("{one}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret"));
        peer.until_left();
    });
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        for target in ["/1", "/2"] {
            let mut received = pool.send(&server.origin(), &head("POST", target), "").await.unwrap();
            assert_eq!(received.read_all(100).await.unwrap(), format!("POST {target}"));
        }
        settled::<R>(&pool, 0, 0).await;
    });
    assert_eq!(server.accepted(), 2);
}

/// One is handed to whoever waits, and the server has left already: they get a new one in its place.
fn while_it_is_handed_out<R: Dialling>() {
    let (go, gone) = mpsc::channel::<()>();
    let gone = std::sync::Mutex::new(gone);
    let left = Arc::new(AtomicUsize::new(0));
    let server = serving({
        let left = Arc::clone(&left);
        move |mut peer| {
            if peer.number == 1 {
                gone.lock().unwrap().recv().unwrap();
                drop(peer);
                left.fetch_add(1, Ordering::SeqCst);
                return;
            }
            while let Some(asked) = peer.request() {
                peer.answer(&asked);
            }
        }
    });
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        let origin = server.origin();
        let mut held = pool.connection(&origin).await.unwrap();
        let mut next = Box::pin(pool.connection(&origin));
        assert!(smol::future::poll_once(&mut next).await.is_none());
        go.send(()).unwrap();
        until::<R>(|| left.load(Ordering::SeqCst) == 1).await;
        until::<R>(|| !held.is_open()).await;
        drop(held);
        let connection = next.await.unwrap();
        let mut received = connection.send(&head("POST", "/"), "").await.unwrap();
        assert_eq!(received.read_all(100).await.unwrap(), "POST /");
    });
    assert_eq!(server.accepted(), 2);
}

/// The server leaves, and the client asks before its runtime can hear of it.
fn while_the_runtime_has_no_turn<R: Dialling>() {
    let (tell, told) = mpsc::channel();
    let (server, go) = spoiled(move |peer| {
        drop(peer);
        tell.send(()).unwrap();
    });
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        drop(pool.send(&server.origin(), &get("/1"), "").await.unwrap());
        settled::<R>(&pool, 1, 1).await;
        go.send(()).unwrap();
        told.recv_timeout(crate::support::LONG).unwrap();
        let mut received = pool.send_as(&server.origin(), &head("POST", "/2"), "", false).await.unwrap();
        assert_eq!((received.retries(), server.accepted()), (0, 2));
        assert_eq!(received.read_all(100).await.unwrap(), "POST /2");
    });
}
