//! Many tasks that share a pool and give up at random: the bound holds, no connection is lost, and everybody is served or
//! told that their time is over. Ten seconds on each runtime are `--ignored`; with `--test-threads 1` descriptors are
//! counted too.

use std::collections::HashSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use endwell::client::{Origin, Pool, PoolError, PoolLimits, RequestError, SendError};
use endwell::http::Framing;
use endwell_core_tests::random::Random;

use crate::counted::{Counted, pool_with, settled, until};
use crate::dialling::{Dialling, get, head};
use crate::server::{Server, serving};
use crate::support::{LONG, on_every_runtime};

on_every_runtime!(
    with_cancellations,
    #[ignore = "takes ten seconds, and descriptors are counted only with --test-threads 1"]
    in_full
);

const TASKS: u64 = 64;
const PER_ORIGIN: usize = 4;
const CONNECTIONS: usize = 7;

/// What has become of what a task asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Served,
    GivenUp,
    /// Waited for as long as there was time.
    Late,
    /// The server has left, and the request was not to be sent again.
    Left,
}

/// Answers sooner or later, in one piece or several, and leaves when it likes.
fn moody(seed: u64) -> Server {
    serving(move |mut peer| {
        let mut random = Random::new(seed ^ peer.number as u64);
        while let Some(asked) = peer.request() {
            thread::sleep(Duration::from_micros(random.below(800) as u64));
            let text = crate::server::response(&asked, "");
            if random.one_in(3) {
                let (first, second) = text.split_at(text.len() - 3);
                peer.send(first);
                thread::sleep(Duration::from_micros(random.below(800) as u64));
                peer.send(second);
            } else {
                peer.send(text);
            }
            if random.one_in(20) {
                thread::sleep(Duration::from_micros(random.below(300) as u64));
                return;
            }
        }
    })
}

/// Gives up after so many polls, or after some time.
async fn at_most<R: Dialling, T>(
    future: impl Future<Output = T>,
    mut polls: usize,
    time: Duration,
) -> Option<T> {
    let (mut future, mut sleep) = (pin!(future), pin!(R::sleep(time)));
    poll_fn(|cx| {
        polls = polls.saturating_sub(1);
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls == 0 => Poll::Ready(None),
            Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
        }
    })
    .await
}

/// One thing or another, over the pool.
async fn something(
    pool: &Pool<Counted<impl endwell::Connector>>,
    origin: &Origin,
    target: &str,
    what: usize,
) -> Result<Fate, SendError> {
    let connection = async || {
        let connection = pool.connection(origin).await;
        connection.map_err(|error| SendError::NoConnection { error, retries: 0 })
    };
    match what {
        // A request whose response is read, or dropped.
        0..=5 => {
            let mut received = pool.send(origin, &get(target), "").await?;
            if what > 0 {
                let body = received.read_all(100).await;
                assert_eq!(body.unwrap(), format!("GET {target}"));
            }
        }
        // One that is not to be sent again.
        6 => {
            let mut received = pool.send(origin, &head("POST", target), "body").await?;
            assert_eq!(received.read_all(100).await.unwrap(), format!("POST {target}"));
        }
        // A request that is cut off.
        7 => {
            let (mut body, response) = connection().await?.request(&head("PUT", target), Framing::Chunked);
            let _ = body.write("part").await;
            drop((body, response));
            return Ok(Fate::GivenUp);
        }
        // A connection that is not used.
        8 => drop(connection().await?),
        // A connection that is used twice.
        _ => {
            let Ok(received) = connection().await?.send(&get(target), "").await else {
                return Ok(Fate::Left);
            };
            if let Some(connection) = received.finish().await {
                drop(connection.send(&get(target), ""));
            }
        }
    }
    Ok(Fate::Served)
}

async fn task<R: Dialling>(
    pool: Pool<Counted<R::Connector>>,
    origins: Vec<Origin>,
    seed: u64,
    end: Instant,
) -> [usize; 4] {
    let mut random = Random::new(seed);
    let mut fates = [0; 4];
    let mut number = 0;
    while Instant::now() < end {
        number += 1;
        let target = format!("/{seed}/{number}");
        let origin = random.pick(&origins).clone();
        let something = something(&pool, &origin, &target, random.below(10));
        // Half of them are in no hurry.
        let (polls, time) = match random.below(4) {
            0 => (1 + random.below(12), Duration::from_secs(60)),
            1 => (usize::MAX, Duration::from_micros(random.below(3000) as u64)),
            _ => (usize::MAX, Duration::from_secs(60)),
        };
        let fate = match at_most::<R, _>(something, polls, time).await {
            None => Fate::GivenUp,
            Some(Ok(fate)) => fate,
            Some(Err(SendError::NoConnection { error: PoolError::Busy(_), .. })) => Fate::Late,
            Some(Err(SendError::Failed { failure: RequestError::Unanswered(_), .. })) => Fate::Left,
            Some(Err(error)) => panic!("{error}"),
        };
        fates[fate as usize] += 1;
    }
    fates
}

/// Connections to `ports` that the kernel holds for established at the servers: those that were there both before and after
/// a moment. The table is no picture of one moment by itself.
fn established(ports: &[u16]) -> usize {
    let before = table(ports);
    table(ports).intersection(&before).count()
}

fn table(ports: &[u16]) -> HashSet<[String; 2]> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let ours = table.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let [local, peer, state] = [words.next()?, words.next()?, words.next()?];
        let port = u16::from_str_radix(local.rsplit(':').next()?, 16).ok()?;
        let is_ours = state == "01" && ports.contains(&port);
        is_ours.then(|| [local.to_owned(), peer.to_owned()])
    });
    ours.collect()
}

fn soak<R: Dialling>(time: Duration) -> [usize; 4] {
    let servers = [moody(1), moody(2), moody(3)];
    let origins: Vec<_> = servers.iter().map(Server::origin).collect();
    let ports = servers.iter().map(|server| server.address.port()).collect::<Vec<_>>();
    let ends = Arc::new(AtomicBool::new(false));
    let sampler = thread::spawn({
        let (ends, ports) = (Arc::clone(&ends), ports.clone());
        move || {
            let mut most = 0;
            while !ends.load(Ordering::SeqCst) {
                most = most.max(established(&ports));
                thread::sleep(Duration::from_millis(5));
            }
            most
        }
    });
    let fates = R::run(async {
        let mut limits = PoolLimits::default();
        (limits.per_origin, limits.connections) = (PER_ORIGIN, CONNECTIONS);
        limits.wait_time = Duration::from_millis(20);
        let (pool, count) = pool_with::<R>(limits);
        let end = Instant::now() + time;
        let (tell, told) = mpsc::channel();
        for seed in 0..TASKS {
            let (pool, origins, tell) = (pool.clone(), origins.clone(), tell.clone());
            R::spawn(async move { tell.send(task::<R>(pool, origins, seed, end).await).unwrap() });
        }
        drop(tell);
        // Everybody comes back: nobody waits for ever.
        let (mut fates, mut done) = ([0; 4], 0);
        R::sleep(time).await;
        let late = end + LONG;
        until::<R>(|| {
            assert!(pool.occupancy().connections <= CONNECTIONS);
            for one in told.try_iter() {
                done += 1;
                for (sum, more) in fates.iter_mut().zip(one) {
                    *sum += more;
                }
            }
            done == TASKS
        })
        .await;
        assert!(count.most() <= CONNECTIONS, "{} sockets", count.most());
        // No place is lost.
        until::<R>(|| {
            let occupancy = pool.occupancy();
            occupancy.waiting == 0 && occupancy.connections == occupancy.idle
        })
        .await;
        let mut held = Vec::new();
        let few = CONNECTIONS / 2;
        for (origin, most) in origins.iter().zip([few, 2 * few, 2 * few + 1]) {
            while held.len() < most {
                assert!(Instant::now() < late);
                // What closes for it may take longer than it waits.
                held.extend(pool.connection(origin).await);
            }
        }
        assert_eq!((pool.occupancy().connections, established(&ports)), (CONNECTIONS, CONNECTIONS));
        drop(held);
        settled::<R>(&pool, CONNECTIONS, CONNECTIONS).await;
        drop(pool);
        until::<R>(|| count.open() == 0).await;
        fates
    });
    ends.store(true, Ordering::SeqCst);
    let most = sampler.join().unwrap();
    assert!(most <= CONNECTIONS, "{most} connections at the servers");
    println!("{}: served, given up, late, left: {fates:?}; at most {most} at the servers", R::NAME);
    fates
}

fn with_cancellations<R: Dialling>() {
    let fates = soak::<R>(Duration::from_secs(1));
    assert!(fates[Fate::Served as usize] > 0 && fates[Fate::GivenUp as usize] > 0);
}

fn in_full<R: Dialling>() {
    // What a runtime opens once is open then.
    soak::<R>(Duration::from_millis(100));
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    soak::<R>(Duration::from_secs(10));
    let late = Instant::now() + LONG;
    while descriptors() > before {
        assert!(Instant::now() < late, "{} descriptors after {before}", descriptors());
        thread::sleep(Duration::from_millis(1));
    }
}
