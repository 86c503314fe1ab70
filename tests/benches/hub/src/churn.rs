//! S20: clients that connect and leave at once, before two registries on the same server: the hub, and a stand-in for
//! gowebsocket's, whose connections put themselves into one queue when they open and into another when they end. Its one
//! loop takes from either, in no order.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use endwell::hub::{Hub, HubConfig, HubEvent};
use endwell::ws::{Close, Socket};
use endwell::{Answered, Ended, Exchange, OnGone, Server, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::sleep;

const HANDSHAKE: &[u8] = b"GET /chat HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";

/// The time after which the registry is to be empty.
const EMPTY_AFTER: Duration = Duration::from_millis(1500);

/// What a registry has seen.
#[derive(Default)]
struct Seen {
    joined: u64,
    left: u64,
    before_joined: u64,
    /// When the last client had been gone for [`EMPTY_AFTER`], and when every event was done.
    ghosts: [usize; 2],
}

pub fn run(clients: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    println!(
        "{clients} clients that connect and leave at once: ghosts 1.5 s after the last has gone, and in the end"
    );
    println!("in flight  work/event  registry     joined    left  left first  after 1.5 s  in the end");
    for in_flight in [64, 500] {
        for work in [0, 50, 1000] {
            let work = Duration::from_micros(work);
            for (name, is_hub) in [("hub", true), ("two queues", false)] {
                let seen = runtime.block_on(async {
                    if is_hub {
                        by_hub(clients, in_flight, work).await
                    } else {
                        by_queues(clients, in_flight, work).await
                    }
                });
                let Seen { joined, left, before_joined, ghosts: [then, finally] } = seen;
                println!(
                    "{in_flight:>9}  {work:>10.0?}  {name:<10}  {joined:>7} {left:>7}  {before_joined:>10}  {then:>11}  {finally:>10}"
                );
            }
        }
    }
}

/// A handler goes on until it has said that its connection has ended, as a goroutine does.
fn as_goroutines() -> ServerConfig {
    ServerConfig::default().on_gone(OnGone::Finish).connections(100_000)
}

fn accept(exchange: Exchange) -> Result<Socket, Ended> {
    let acceptance = exchange.acceptance();
    exchange.accept(acceptance).map_err(|_| unreachable!("a handshake"))
}

/// The work of an event: the task waits for something slow, as a database is.
fn work_for(work: Duration) {
    if !work.is_zero() {
        std::thread::sleep(work);
    }
}

/// Runs the clients. Returns when the last has gone.
async fn clients(address: SocketAddr, count: usize, in_flight: usize) {
    let permits = Arc::new(Semaphore::new(in_flight));
    let mut tasks = Vec::new();
    for _ in 0..count {
        let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
        tasks.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(HANDSHAKE).await.unwrap();
            let mut head = [0; 12];
            stream.read_exact(&mut head).await.unwrap();
            assert_eq!(&head[..], b"HTTP/1.1 101");
            drop((stream, permit));
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

async fn by_hub(count: usize, in_flight: usize, work: Duration) -> Seen {
    let mut config = HubConfig::default();
    // The reader works for each event, and is to miss none.
    config.events = 4 * count;
    let hub = Hub::new(config);
    let mut events = hub.events();
    let reading = tokio::spawn(async move {
        let (mut seen, mut here) = (Seen::default(), HashSet::new());
        while seen.left < count as u64 {
            match events.next_event().await {
                HubEvent::Joined { key } => {
                    seen.joined += 1;
                    here.insert(key);
                }
                HubEvent::Left { key, .. } => {
                    seen.left += 1;
                    seen.before_joined += u64::from(!here.remove(&key));
                }
                other => panic!("{other:?}"),
            }
            work_for(work);
        }
        seen.ghosts[1] = here.len();
        seen
    });
    let members = hub.clone();
    let server = Server::new(as_goroutines(), move |exchange| {
        let hub = members.clone();
        async move {
            let mut socket = accept(exchange)?;
            let member = hub.join(&socket);
            while socket.receive().await.is_some() {}
            drop(member);
            Err::<Answered, _>(socket.close(Close::EMPTY).await)
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let _listening = server.listen(listener);
    clients(address, count, in_flight).await;
    sleep(EMPTY_AFTER).await;
    let ghosts = hub.counts().connections;
    let mut seen = reading.await.unwrap();
    seen.ghosts = [ghosts, seen.ghosts[1].max(hub.counts().connections)];
    drop(server.shutdown(Duration::ZERO).await);
    seen
}

async fn by_queues(count: usize, in_flight: usize, work: Duration) -> Seen {
    let (register, mut registered) = mpsc::channel::<u64>(1000);
    let (unregister, mut unregistered) = mpsc::channel::<u64>(1000);
    let here = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&here);
    let managing = tokio::spawn(async move {
        let (mut seen, mut connections) = (Seen::default(), HashMap::new());
        while seen.joined < count as u64 || seen.left < count as u64 {
            tokio::select! {
                Some(key) = registered.recv() => {
                    seen.joined += 1;
                    connections.insert(key, ());
                }
                Some(key) = unregistered.recv() => {
                    seen.left += 1;
                    seen.before_joined += u64::from(connections.remove(&key).is_none());
                }
            }
            counted.store(connections.len(), Ordering::Relaxed);
            work_for(work);
        }
        seen.ghosts[1] = connections.len();
        seen
    });
    let next = Arc::new(AtomicU64::new(0));
    let server = Server::new(as_goroutines(), move |exchange| {
        let (key, register, unregister) =
            (next.fetch_add(1, Ordering::Relaxed), register.clone(), unregister.clone());
        async move {
            let mut socket = accept(exchange)?;
            // As there: a task reads from the connection while it is registered.
            let registering = tokio::spawn(async move { register.send(key).await.is_ok() });
            while socket.receive().await.is_some() {}
            let _ = unregister.send(key).await;
            let _ = registering.await;
            Err::<Answered, _>(socket.close(Close::EMPTY).await)
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let _listening = server.listen(listener);
    clients(address, count, in_flight).await;
    sleep(EMPTY_AFTER).await;
    let ghosts = here.load(Ordering::Relaxed);
    let mut seen = managing.await.unwrap();
    seen.ghosts[0] = ghosts;
    drop(server.shutdown(Duration::ZERO).await);
    seen
}
