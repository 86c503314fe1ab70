//! Limits of nothing and without end: each is kept, or the least that works, and nothing panics or waits for ever.

use std::time::Duration;

use endwell::ClientConfig;
use endwell::client::{Pool, PoolError, PoolLimits, SendError};

use crate::counted::until;
use crate::dialling::{Dialling, get, run};
use crate::server::echoing;
use crate::support::on_every_runtime;

on_every_runtime!(numbers_of_connections, times_without_end, no_time);

fn numbers_of_connections<R: Dialling>() {
    let server = echoing();
    run::<R, _>(async {
        for connections in [0, 1, usize::MAX] {
            for per_origin in [0, 1, usize::MAX] {
                for idle in [0, 1, usize::MAX] {
                    let mut limits = PoolLimits::default();
                    (limits.connections, limits.per_origin) = (connections, per_origin);
                    (limits.idle, limits.idle_per_origin) = (idle, idle);
                    limits.retries = if idle == 1 { u32::MAX } else { 0 };
                    let pool = Pool::new(R::CONNECTOR, ClientConfig::default(), limits);
                    for _ in 0..3 {
                        let mut received = pool.send(&server.origin(), &get("/"), "").await.unwrap();
                        assert_eq!(received.read_all(100).await.unwrap(), "GET /");
                    }
                    until::<R>(|| pool.occupancy().idle == idle.min(1)).await;
                }
            }
        }
    });
}

/// Every time that counts for a client, without end.
fn times_without_end<R: Dialling>() {
    let server = echoing();
    run::<R, _>(async {
        let mut config = ClientConfig::default();
        config.connect_time = Duration::MAX;
        config.http.idle_time = Duration::MAX;
        config.http.response_time = Some(Duration::MAX);
        config.http.continue_time = Duration::MAX;
        config.http.linger_time = Duration::MAX;
        let mut limits = PoolLimits::default();
        (limits.idle_time, limits.wait_time, limits.connections) = (Duration::MAX, Duration::MAX, 1);
        let pool = Pool::new(R::CONNECTOR, config, limits);
        let held = pool.connection(&server.origin()).await.unwrap();
        R::spawn({
            let pool = pool.clone();
            async move {
                until::<R>(|| pool.occupancy().waiting == 1).await;
                drop(held);
            }
        });
        for _ in 0..3 {
            let mut received = pool.send(&server.origin(), &get("/"), "").await.unwrap();
            assert_eq!(received.read_all(100).await.unwrap(), "GET /");
            assert_eq!(received.retries(), 0);
        }
        assert_eq!((server.accepted(), pool.occupancy().connections), (1, 1));
    });
}

fn no_time<R: Dialling>() {
    let server = echoing();
    run::<R, _>(async {
        let mut limits = PoolLimits::default();
        (limits.idle_time, limits.wait_time, limits.connections) = (Duration::ZERO, Duration::ZERO, 1);
        let pool = Pool::new(R::CONNECTOR, ClientConfig::default(), limits);
        let held = pool.connection(&server.origin()).await.unwrap();
        let error = pool.send(&server.origin(), &get("/"), "").await.unwrap_err();
        assert!(
            matches!(error, SendError::NoConnection { error: PoolError::Busy(Duration::ZERO), retries: 0 }),
            "{error}"
        );
        drop(held);
        // It is not kept.
        until::<R>(|| pool.occupancy().connections == 0).await;
    });
}
