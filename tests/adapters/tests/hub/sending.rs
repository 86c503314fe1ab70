//! Each message goes to those whom it is for, once, and the receipt says so.

use std::time::Duration;

use endwell::ServerConfig;
use endwell::hub::{Hub, HubConfig, HubEvent, Login, Member, MetaError, Receipt, SubscribeError};
use endwell::ws::{Close, Socket, WhenFull};

use crate::peer::Peer;
use crate::service::{handing_over, wait};
use crate::support::{Running, Runtime, on_every_runtime};

on_every_runtime!(
    each_goes_to_those_whom_it_is_for,
    what_is_here_is_shown,
    ends_are_counted,
    a_member_joins_by_half_a_socket,
);

struct Joined {
    peer: Peer,
    socket: Socket,
    member: Member,
}

fn join(hub: &Hub, server: &Running, next: &impl Fn() -> Socket) -> Joined {
    let peer = Peer::connect(server);
    let socket = next();
    let member = hub.join(&socket);
    Joined { peer, socket, member }
}

fn accepted(receipt: Receipt) -> u64 {
    assert_eq!(receipt.receivers(), receipt.accepted, "{receipt}");
    receipt.accepted
}

fn each_goes_to_those_whom_it_is_for<R: Runtime>() {
    let hub = Hub::default();
    let (server, next) = handing_over::<R>(ServerConfig::default());
    let mut all: Vec<_> = (0..4).map(|_| join(&hub, &server, &next)).collect();
    for (joined, user) in all.iter().zip(["alice", "alice", "bob"]) {
        joined.member.login(user, Login::Beside { at_most: 2 }).unwrap();
    }
    let keys: Vec<_> = all.iter().map(|joined| joined.member.key()).collect();
    let key = |index: usize| keys[index];
    assert_eq!(all[0].member.subscribe("room"), Ok(true));
    assert_eq!(all[0].member.subscribe("room"), Ok(false));
    all[2].member.subscribe("room").unwrap();
    all[3].member.subscribe("room").unwrap();
    assert!(all[3].member.unsubscribe("room") && !all[3].member.unsubscribe("room"));
    let full = WhenFull::DropNewest;
    // Each is behind those before it, so what a peer gets is all that went to it.
    let sent = [
        (hub.topic("room").send("1", full), 2),
        (hub.topic("room").except(key(0)).send("2", full), 1),
        (hub.topic("no such room").send("3", full), 0),
        (hub.user("alice").send("4", full), 2),
        (hub.user("alice").except(key(0)).except(key(3)).send("5", full), 1),
        (hub.user("carol").send("6", full), 0),
        (hub.connection(key(3)).send("7", full), 1),
        (hub.connection(key(3)).except(key(3)).send("8", full), 0),
        (hub.everyone().send("9", full), 4),
        (hub.everyone().except(key(1)).send("10", full), 3),
    ];
    for (fanout, receivers) in sent {
        assert_eq!(accepted(wait(fanout)), receivers);
    }
    let gone = all.remove(1);
    let key_of_gone = gone.member.key();
    drop(gone.member);
    assert_eq!(hub.connection(key_of_gone).send("11", full).now().receivers(), 0);
    assert_eq!(hub.user("alice").send("12", full).now().accepted, 1);
    all.insert(1, join(&hub, &server, &next));
    assert!(all[1].member.key() > key(3), "keys are not reused");
    assert_eq!(hub.connection(key_of_gone).send("13", full).now().receivers(), 0);
    assert_eq!(wait(hub.everyone().send("over", full)).accepted, 4);
    let expected: [&[&str]; 4] =
        [&["1", "4", "9", "10", "12"], &[], &["1", "2", "9", "10"], &["7", "9", "10"]];
    for (joined, expected) in all.iter_mut().zip(expected) {
        for text in expected.iter().chain(&["over"]) {
            assert_eq!(joined.peer.frame().as_text(), *text);
        }
    }
    let mut peer = gone.peer;
    for text in ["4", "5", "9"] {
        assert_eq!(peer.frame().as_text(), text);
    }
    drop(gone.socket);
    assert_eq!(peer.assert_closes(), 1011);
}

fn what_is_here_is_shown<R: Runtime>() {
    let mut config = HubConfig::default();
    (config.topics_each, config.topics, config.meta_bytes, config.topic_events) = (2, 2, 4, true);
    let hub = Hub::new(config);
    let mut events = hub.events();
    let (server, next) = handing_over::<R>(ServerConfig::default());
    let (one, other) = (join(&hub, &server, &next), join(&hub, &server, &next));
    let (first, second) = (one.member.key(), other.member.key());
    one.member.login("alice", Login::Replace).unwrap();
    one.member.subscribe("a").unwrap();
    one.member.subscribe("b").unwrap();
    assert_eq!(one.member.subscribe("c"), Err(SubscribeError::TooMany { at_most: 2 }));
    assert_eq!(other.member.subscribe("c"), Err(SubscribeError::HubFull { at_most: 2 }));
    assert_eq!(other.member.subscribe(&"x".repeat(201)), Err(SubscribeError::NameTooLong { at_most: 200 }));
    one.member.set_meta("here").unwrap();
    assert_eq!(one.member.set_meta("there"), Err(MetaError::TooLong { at_most: 4 }));
    let present = &hub.presence("alice")[0];
    assert_eq!(
        (present.key, present.user.as_deref(), present.meta.as_deref()),
        (first, Some("alice"), Some(&b"here"[..]))
    );
    assert_eq!(hub.topic_presence("a"), std::slice::from_ref(present));
    assert_eq!(hub.users().iter().map(|user| &**user).collect::<Vec<_>>(), ["alice"]);
    let snapshot = hub.snapshot();
    assert_eq!((snapshot.counts.connections, snapshot.counts.users, snapshot.counts.topics), (2, 1, 2));
    let keys: Vec<_> = snapshot.connections.iter().map(|connection| connection.present.key).collect();
    assert_eq!(keys, [first, second]);
    let mut topics = snapshot.connections[0].topics.clone();
    topics.sort();
    assert_eq!(topics.iter().map(|topic| &**topic).collect::<Vec<_>>(), ["a", "b"]);
    assert!(snapshot.connections[1].present.user.is_none() && snapshot.connections[1].topics.is_empty());
    one.member.leave();
    let user: std::sync::Arc<str> = "alice".into();
    let topic = |name: &str| name.into();
    let left = |event: &HubEvent| matches!(event, HubEvent::Left { .. });
    let mut seen = Vec::new();
    while !seen.last().is_some_and(left) {
        seen.push(wait(events.next_event()));
    }
    let expected = [
        HubEvent::Joined { key: first },
        HubEvent::Joined { key: second },
        HubEvent::LoggedIn { key: first, user: user.clone(), connections: 1 },
        HubEvent::Subscribed { key: first, topic: topic("a") },
        HubEvent::Subscribed { key: first, topic: topic("b") },
        HubEvent::MetaSet { key: first, meta: "here".into() },
        HubEvent::Unsubscribed { key: first, topic: topic("a") },
        HubEvent::Unsubscribed { key: first, topic: topic("b") },
        HubEvent::LoggedOut { key: first, user, connections: 0 },
        HubEvent::Left { key: first, departure: endwell::hub::Departure::Dropped },
    ];
    assert_eq!(seen, expected);
    drop((one.peer, one.socket, other));
}

/// A receiver that is closing, or whose bound is met and which is closed for it.
fn ends_are_counted<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.outlet.messages = 1;
    config.output.high_water = 2;
    let hub = Hub::default();
    let (server, next) = handing_over::<R>(config);
    let closing = join(&hub, &server, &next);
    let outlet = closing.socket.outlet();
    outlet.close(Close::EMPTY);
    let receipt = hub.everyone().send("too late", WhenFull::Wait(Duration::from_secs(10))).now();
    assert_eq!((receipt.ended, receipt.receivers()), (1, 1));
    drop((closing, server));
    assert_eq!(hub.everyone().send("none", WhenFull::Close).now(), Receipt::default());
}

fn a_member_joins_by_half_a_socket<R: Runtime>() {
    let hub = Hub::default();
    let (server, next) = handing_over::<R>(ServerConfig::default());
    let mut peer = Peer::connect(&server);
    let (send, receive) = next().split();
    let member = hub.join(&send);
    // One connection may be a member more than once, for example of two parts of a program.
    let again = hub.join(send.outlet());
    assert_eq!(hub.everyone().send("twice", WhenFull::DropNewest).now().accepted, 2);
    for _ in 0..2 {
        assert_eq!(peer.frame().as_text(), "twice");
    }
    drop(again);
    assert_eq!(hub.counts().connections, 1);
    peer.client.reset();
    server.next_end();
    assert!(!member.is_here());
    drop((send, receive));
}
