//! A node ends, and the others are told.

use std::time::Duration;

use endwell::blocking::Threads;
use endwell::hub::{Drain, Hub, HubConfig, HubEvent, InProcessBus, OnBus};
use endwell::ws::WhenFull;

use super::Cluster;
use crate::service::wait;
use crate::support::{Runtime, on_every_runtime};

on_every_runtime!(a_drained_node_says_so, a_hub_that_is_dropped_ends_its_node);

fn said_so(name: &str) -> HubEvent {
    HubEvent::NodeDown { node: name.into(), said_so: true }
}

fn a_drained_node_says_so<R: Runtime>() {
    let mut cluster = Cluster::start::<R>(2);
    let client = cluster.client(0);
    client.member.login("alice", endwell::hub::Login::Replace).unwrap();
    cluster.nodes[1].until(|event| matches!(event, HubEvent::LoggedIn { .. }));
    let drain = Drain { within: Duration::from_millis(100), spread: Duration::ZERO };
    let report = wait(cluster.hub(0).drain(&Threads, drain));
    // Nothing reads its socket.
    assert_eq!((report.in_time, report.late.len()), (0, 1), "{report}");
    cluster.nodes[1].until(|event| *event == said_so("a"));
    assert!(!cluster.hub(1).is_online("alice") && cluster.hub(1).nodes().is_empty());
    // The other way round too: it has left.
    let alone = cluster.hub(0);
    assert!(alone.nodes().is_empty());
    assert_eq!(alone.everyone().send("x", WhenFull::DropNewest).now().bus, Some(OnBus::Left));
}

fn a_hub_that_is_dropped_ends_its_node<R: Runtime>() {
    let mut cluster = Cluster::start::<R>(2);
    let client = cluster.client(0);
    let gone = cluster.nodes.remove(0);
    drop(gone);
    // A member is left, and so is the node.
    client.member.login("alice", endwell::hub::Login::Replace).unwrap();
    let node = &mut cluster.nodes[0];
    node.until(|event| matches!(event, HubEvent::LoggedIn { .. }));
    drop(client.member);
    drop(client.socket);
    node.until(|event| *event == said_so("a"));
}

#[test]
fn dropping_the_node_says_so_and_the_hub_goes_on_alone() {
    let bus = InProcessBus::new();
    let make = |name: &str| {
        let mut config = HubConfig::default();
        config.node = name.into();
        Hub::over(&Threads, bus.connect(), config)
    };
    let ((first, node), (second, other)) = (make("a"), make("b"));
    let mut events = (first.events(), second.events());
    let is_up = |event: HubEvent| assert!(matches!(event, HubEvent::NodeUp { .. }), "{event:?}");
    wait(smol::future::or(
        async {
            futures::future::join(node, other).await;
        },
        async {
            is_up(events.0.next_event().await);
            is_up(events.1.next_event().await);
        },
    ));
    // Both were dropped.
    assert_eq!(wait(events.0.next_event()), HubEvent::NodeDown { node: "b".into(), said_so: false });
    assert!(first.nodes().is_empty() && second.nodes().is_empty());
    assert!(first.stale_for().is_some());
    let receipt = first.everyone().send("x", WhenFull::DropNewest).now();
    assert_eq!(receipt.bus, Some(OnBus::Left));
}
