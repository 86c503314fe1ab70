//! S20: clients that connect and leave at once. Each has joined once and left once, never left before it joined, and none
//! is left when the last connection has ended.

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use endwell::hub::{ConnectionKey, Hub, HubConfig, HubEvent, Login};
use endwell::{Answered, Ended, Exchange, ServerConfig};

use crate::peer::{HANDSHAKE, close};
use crate::service::{accept, wait};
use crate::support::{Client, Runtime, on_every_runtime, start_with};

on_every_runtime!(
    none_of_those_that_leave_at_once_stays,
    #[ignore = "the long run"]
    none_of_twenty_thousand_stays,
);

/// What a connection has done.
#[derive(Debug, Default, PartialEq, Eq)]
struct Story {
    joined: usize,
    left: usize,
}

async fn member(hub: Hub, joined: Arc<AtomicUsize>, exchange: Exchange) -> Result<Answered, Ended> {
    let mut socket = accept(exchange)?;
    let member = hub.join(&socket);
    let number = joined.fetch_add(1, Ordering::Relaxed);
    // Each may fail, since the client may have left.
    let _ = member.login(&format!("user {}", number % 100), Login::Beside { at_most: 1000 });
    let _ = member.subscribe("lobby");
    while socket.receive().await.is_some() {}
    Err(socket.close(endwell::ws::Close::EMPTY).await)
}

/// Connects, and leaves in one of several ways.
fn come_and_go(address: SocketAddr, way: usize) {
    let mut client = Client::connect(address);
    client.send(HANDSHAKE);
    match way % 5 {
        0 => client.reset(),
        1 => client.socket.shutdown(Shutdown::Write).unwrap(),
        2 => {
            client.read_exactly(12);
            client.reset();
        }
        3 => {
            client.read_exactly(12);
            client.send(close(1000));
        }
        _ => {
            client.read_exactly(12);
        }
    }
}

/// Reads events until `joined` connections have left, with some work for each: how many events there were.
fn read(
    events: &mut endwell::hub::HubEvents,
    left: usize,
    work: Duration,
) -> (usize, BTreeMap<ConnectionKey, Story>) {
    let mut stories = BTreeMap::<ConnectionKey, Story>::new();
    let (mut seen, mut gone) = (0, 0);
    while gone < left {
        let event = wait(events.next_event());
        seen += 1;
        match event {
            HubEvent::Joined { key } => stories.entry(key).or_default().joined += 1,
            HubEvent::Left { key, .. } => {
                let story = stories.entry(key).or_default();
                assert_eq!((story.joined, story.left), (1, 0), "left before it joined, or twice");
                story.left += 1;
                gone += 1;
            }
            HubEvent::Lagged(missed) => panic!("{missed} events missed"),
            _ => {}
        }
        let began = Instant::now();
        while began.elapsed() < work {
            std::hint::spin_loop();
        }
    }
    (seen, stories)
}

fn churn<R: Runtime>(clients: usize, in_flight: usize, work: Duration) {
    let mut config = HubConfig::default();
    // The reader is slow, and must miss nothing.
    config.events = 10 * clients;
    let hub = Hub::new(config);
    let joined = Arc::new(AtomicUsize::new(0));
    let handler = {
        let (hub, joined) = (hub.clone(), Arc::clone(&joined));
        move |exchange| member(hub.clone(), Arc::clone(&joined), exchange)
    };
    let mut config = ServerConfig::default();
    config.half_closed = Some(Duration::from_millis(50));
    let server = start_with::<R, _, _>(config, handler);
    let mut events = hub.events();
    let began = Instant::now();
    let (next, address) = (AtomicUsize::new(0), server.address);
    thread::scope(|scope| {
        for _ in 0..in_flight {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= clients {
                        break;
                    }
                    come_and_go(address, number);
                }
            });
        }
    });
    let gone = Instant::now();
    for _ in 0..clients {
        server.next_end();
    }
    let (emptied, counts) = (gone.elapsed(), hub.counts());
    assert_eq!((counts.connections, counts.users, counts.topics), (0, 0, 0), "ghosts");
    let joined = joined.load(Ordering::Relaxed);
    let (seen, stories) = read(&mut events, joined, work);
    println!(
        "S20 {:<17} {clients} clients, {in_flight} in flight, {work:?} an event: {joined} joined, {joined} left, 0 ghosts \
         {emptied:.1?} after the last had gone; {seen} events, {:.1?} in all",
        R::NAME,
        began.elapsed()
    );
    assert!(joined >= clients / 2, "most come far enough");
    assert_eq!(stories.len(), joined);
    assert!(stories.into_values().all(|story| story == Story { joined: 1, left: 1 }));
}

fn none_of_those_that_leave_at_once_stays<R: Runtime>() {
    churn::<R>(400, 32, Duration::ZERO);
    churn::<R>(200, 64, Duration::from_micros(50));
}

fn none_of_twenty_thousand_stays<R: Runtime>() {
    for in_flight in [64, 500] {
        for work in [0, 50, 1000] {
            churn::<R>(20_000, in_flight, Duration::from_micros(work));
        }
    }
}
