//! The bounds, and the line of those who wait.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use endwell::client::{Connection, PoolError, PoolLimits};

use crate::counted::{bounded, pool_with, settled, until};
use crate::dialling::{Dialling, get, run};
use crate::server::{Server, echoing};
use crate::support::on_every_runtime;

on_every_runtime!(
    one_origin_that_is_full_holds_nobody_up,
    in_the_order_of_arrival,
    the_one_that_was_idle_for_longest_makes_room,
    whoever_waited_for_longer_gets_the_place,
    a_wait_has_an_end,
    a_turn_that_is_given_up_is_the_next_ones,
    idle_connections_are_bounded_too,
    idle_connections_close_in_time
);

/// So many connections were made, and no more. Servers accept later than a client has connected.
async fn assert_accepted<R: Dialling, const N: usize>(made: [(&Server, usize); N]) {
    for (server, made) in made {
        until::<R>(|| server.accepted() >= made).await;
        assert_eq!(server.accepted(), made);
    }
}

fn one_origin_that_is_full_holds_nobody_up<R: Dialling>() {
    let (full, other) = (echoing(), echoing());
    run::<R, _>(async {
        let pool = bounded::<R>(1, 2);
        let held = pool.connection(&full.origin()).await.unwrap();
        let (tell, told) = mpsc::channel();
        R::spawn({
            let (pool, origin) = (pool.clone(), full.origin());
            async move {
                let _connection = pool.connection(&origin).await.unwrap();
                tell.send(()).unwrap();
            }
        });
        until::<R>(|| pool.occupancy().waiting == 1).await;
        let passing = pool.connection(&other.origin()).await.unwrap();
        assert!(told.try_recv().is_err());
        drop(held);
        until::<R>(|| told.try_recv().is_ok()).await;
        drop(passing);
        settled::<R>(&pool, 2, 2).await;
        assert_accepted::<R, _>([(&full, 1), (&other, 1)]).await;
    });
}

fn in_the_order_of_arrival<R: Dialling>() {
    const WAITING: usize = 20;
    let server = echoing();
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        let held = pool.connection(&server.origin()).await.unwrap();
        let (tell, told) = mpsc::channel();
        for number in 0..WAITING {
            let (waiting, origin, tell) = (pool.clone(), server.origin(), tell.clone());
            R::spawn(async move {
                let connection = waiting.connection(&origin).await.unwrap();
                tell.send(number).unwrap();
                // Every third ends its connection, and the next one gets the place for a new one.
                if number % 3 == 0 {
                    drop(connection.send(&get("/"), ""));
                }
            });
            until::<R>(|| pool.occupancy().waiting > number).await;
        }
        drop(held);
        let mut order = Vec::new();
        until::<R>(|| {
            order.extend(told.try_iter());
            order.len() == WAITING
        })
        .await;
        assert_eq!(order, (0..WAITING).collect::<Vec<_>>());
        until::<R>(|| pool.occupancy().waiting == 0).await;
    });
}

fn the_one_that_was_idle_for_longest_makes_room<R: Dialling>() {
    let (first, second, third) = (echoing(), echoing(), echoing());
    run::<R, _>(async {
        let mut limits = PoolLimits::default();
        limits.connections = 2;
        let (pool, count) = pool_with::<R>(limits);
        drop(pool.connection(&first.origin()).await.unwrap());
        drop(pool.connection(&second.origin()).await.unwrap());
        drop(pool.connection(&third.origin()).await.unwrap());
        settled::<R>(&pool, 2, 2).await;
        // The second is there still.
        drop(pool.connection(&second.origin()).await.unwrap());
        drop(pool.connection(&first.origin()).await.unwrap());
        drop(pool.connection(&second.origin()).await.unwrap());
        assert_eq!(count.most(), 2);
        assert_accepted::<R, _>([(&first, 2), (&second, 1), (&third, 1)]).await;
    });
}

/// Somebody waits for room in all, and then somebody else for a connection to an origin that has some: that connection
/// closes for the first of them.
fn whoever_waited_for_longer_gets_the_place<R: Dialling>() {
    let (busy, other) = (echoing(), echoing());
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        let held = pool.connection(&busy.origin()).await.unwrap();
        let (tell, told) = mpsc::channel::<Connection>();
        for (number, origin) in [other.origin(), busy.origin()].into_iter().enumerate() {
            let (waiting, tell) = (pool.clone(), tell.clone());
            R::spawn(async move { tell.send(waiting.connection(&origin).await.unwrap()).unwrap() });
            until::<R>(|| pool.occupancy().waiting > number).await;
        }
        drop(held);
        let mut next = None;
        for address in [other.address, busy.address] {
            until::<R>(|| {
                next = told.try_recv().ok();
                next.is_some()
            })
            .await;
            let connection = next.take().unwrap();
            assert_eq!(connection.peer_address().to_string(), address.to_string());
        }
        assert_accepted::<R, _>([(&busy, 2), (&other, 1)]).await;
    });
}

fn a_wait_has_an_end<R: Dialling>() {
    let server = echoing();
    run::<R, _>(async {
        let mut limits = PoolLimits::default();
        (limits.per_origin, limits.wait_time) = (1, Duration::from_millis(20));
        let (pool, count) = pool_with::<R>(limits);
        let held = pool.connection(&server.origin()).await.unwrap();
        let error = pool.connection(&server.origin()).await.unwrap_err();
        assert!(matches!(error, PoolError::Busy(_)));
        assert_eq!(error.to_string(), "all connections that there may be were in use for 20ms");
        let error = pool.send(&server.origin(), &get("/"), "").await.unwrap_err();
        assert_eq!((error.is_safe_to_retry(), error.retries()), (true, 0));
        let text = "all connections that there may be were in use for 20ms; safe to retry: yes";
        assert_eq!(error.to_string(), text);
        assert_eq!(pool.occupancy().waiting, 0);
        drop(held);
        drop(pool.connection(&server.origin()).await.unwrap());
        assert_eq!(count.most(), 1);
    });
}

/// Granted and not looked at: it is handed on when it is dropped.
fn a_turn_that_is_given_up_is_the_next_ones<R: Dialling>() {
    let server = echoing();
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        let origin = server.origin();
        for stage in 0..2 {
            let held = pool.connection(&origin).await.unwrap();
            let mut first = Box::pin(pool.connection(&origin));
            assert!(smol::future::poll_once(&mut first).await.is_none());
            let (tell, told) = mpsc::channel();
            R::spawn({
                let (pool, origin) = (pool.clone(), origin.clone());
                async move {
                    let _connection = pool.connection(&origin).await.unwrap();
                    tell.send(()).unwrap();
                }
            });
            until::<R>(|| pool.occupancy().waiting == 2).await;
            if stage == 0 {
                drop(held);
                assert_eq!(pool.occupancy().waiting, 1);
                drop(first);
            } else {
                drop(first);
                drop(held);
            }
            until::<R>(|| told.try_recv().is_ok()).await;
            settled::<R>(&pool, 1, 1).await;
        }
        assert_accepted::<R, _>([(&server, 1)]).await;
    });
}

fn idle_connections_are_bounded_too<R: Dialling>() {
    let (first, second) = (echoing(), echoing());
    run::<R, _>(async {
        let mut limits = PoolLimits::default();
        (limits.idle_per_origin, limits.idle) = (2, 3);
        let (pool, _) = pool_with::<R>(limits);
        let pool = Arc::new(pool);
        for origin in [first.origin(), second.origin()] {
            let mut held = Vec::new();
            for _ in 0..4 {
                held.push(pool.connection(&origin).await.unwrap());
            }
            drop(held);
        }
        settled::<R>(&pool, 3, 3).await;
    });
}

fn idle_connections_close_in_time<R: Dialling>() {
    let server = echoing();
    run::<R, _>(async {
        let mut limits = PoolLimits::default();
        limits.idle_time = Duration::from_millis(50);
        let (pool, count) = pool_with::<R>(limits);
        drop(pool.connection(&server.origin()).await.unwrap());
        settled::<R>(&pool, 0, 0).await;
        assert_eq!(count.open(), 0);
    });
}
