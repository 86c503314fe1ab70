//! Nodes that die without a word, in time that passes at once.

use std::time::Duration;

use endwell::hub::{Hub, HubConfig, HubEvent, HubEvents, InProcessBus, Login};
use endwell::tokio::Tokio;
use endwell::ws::WhenFull;
use endwell::{Driver, ServerConfig};
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use super::bus::Line;
use crate::memory::socket;

struct Node {
    hub: Hub,
    events: HubEvents,
    line: Line,
}

fn start(bus: &InProcessBus, name: &str) -> Node {
    let line = Line::new(bus);
    let mut config = HubConfig::default();
    config.node = name.into();
    let (hub, driver) = Hub::over(&Tokio, line.end(), config);
    tokio::spawn(driver);
    let events = hub.events();
    Node { hub, events, line }
}

impl Node {
    async fn until(&mut self, is_it: impl Fn(&HubEvent) -> bool) -> HubEvent {
        loop {
            let event = self.events.next_event().await;
            if is_it(&event) {
                return event;
            }
        }
    }
}

fn is_fresh(event: &HubEvent) -> bool {
    *event == HubEvent::Fresh
}

#[tokio::test(start_paused = true)]
async fn a_killed_node_has_left_within_4_s() {
    let bus = InProcessBus::new();
    let mut nodes = ["a", "b", "c"].map(|name| start(&bus, name));
    let (socket, driver, mut far) = socket(Tokio, &ServerConfig::default());
    let driver: Driver = driver;
    tokio::spawn(driver);
    let member = nodes[2].hub.join(&socket);
    member.login("alice", Login::Replace).unwrap();
    for node in &mut nodes {
        node.until(is_fresh).await;
        assert!(node.hub.is_online("alice") && node.hub.nodes().len() == 2);
    }
    // It is sent at once, and not with the next lease.
    let began = Instant::now();
    nodes[0].hub.user("alice").send("hello", WhenFull::DropNewest).now();
    let mut frame = [0; 7];
    far.read_exact(&mut frame).await.unwrap();
    assert_eq!((&frame[2..], began.elapsed() < Duration::from_millis(50)), (&b"hello"[..], true));
    nodes[2].line.kill();
    let began = Instant::now();
    for node in &mut nodes[..2] {
        let down = node.until(|event| matches!(event, HubEvent::NodeDown { .. })).await;
        assert_eq!(down, HubEvent::NodeDown { node: "c".into(), said_so: false });
        assert!(!node.hub.is_online("alice") && node.hub.nodes().len() == 1);
    }
    let took = began.elapsed();
    assert!((Duration::from_millis(2500)..Duration::from_secs(4)).contains(&took), "{took:?}");
    // It is deaf, and judges no other.
    nodes[2].until(|event| *event == HubEvent::Stale).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(nodes[2].hub.nodes().len(), 2);
    assert!(nodes[2].hub.stale_for().unwrap() > Duration::from_secs(60));
    assert_eq!(nodes[0].hub.stale_for(), None);
}

#[tokio::test(start_paused = true)]
async fn while_the_bus_is_away_no_node_is_declared_dead() {
    let bus = InProcessBus::new();
    let mut nodes = ["a", "b"].map(|name| start(&bus, name));
    for node in &mut nodes {
        node.until(is_fresh).await;
    }
    for node in &nodes {
        node.line.cut();
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    for node in &mut nodes {
        assert_eq!(node.events.next_event().await, HubEvent::Stale);
        assert!(node.hub.stale_for().unwrap() >= Duration::from_secs(29));
        node.hub.everyone().send("said while cut", WhenFull::DropNewest).now();
        node.line.heal();
    }
    let began = Instant::now();
    for node in &mut nodes {
        // No node has come or gone meanwhile.
        assert_eq!(node.events.next_event().await, HubEvent::Fresh);
        assert_eq!(node.hub.nodes().len(), 1);
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_node_alone_is_fresh_and_says_nothing_twice() {
    let bus = InProcessBus::new();
    let mut node = start(&bus, "");
    node.until(is_fresh).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!((node.hub.stale_for(), node.hub.nodes().len()), (None, 0));
    assert!(tokio::time::timeout(Duration::from_secs(1), node.events.next_event()).await.is_err());
    // One that comes later is found, and finds it.
    let mut other = start(&bus, "other");
    let up = node.until(|event| matches!(event, HubEvent::NodeUp { .. })).await;
    assert_eq!(up, HubEvent::NodeUp { node: "other".into() });
    let HubEvent::NodeUp { node: name } = other.until(|event| matches!(event, HubEvent::NodeUp { .. })).await
    else {
        unreachable!()
    };
    // Without a name it is called by its number.
    assert!(name.len() == 16 && name.bytes().all(|digit| digit.is_ascii_hexdigit()), "{name}");
}
