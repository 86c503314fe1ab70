//! Who is here, on all nodes.

use std::thread;

use endwell::hub::{Departure, Hub, HubEvent, Login, LoginError, Member, Notice, Present};

use super::Cluster;
use crate::service::wait;
use crate::support::{Runtime, on_every_runtime};

on_every_runtime!(
    all_nodes_show_who_is_here,
    the_second_login_replaces_the_first_on_another_node,
    logins_at_the_same_time_leave_one,
    all_agree_in_the_end,
);

const BESIDE: Login = Login::Beside { at_most: 2 };

fn all_nodes_show_who_is_here<R: Runtime>() {
    let mut cluster = Cluster::start::<R>(2);
    let (near, far) = (cluster.client(0), cluster.client(1));
    near.member.login("alice", BESIDE).unwrap();
    near.member.subscribe("room").unwrap();
    far.member.login("alice", BESIDE).unwrap();
    far.member.set_meta("away").unwrap();
    far.member.subscribe("room").unwrap();
    far.member.subscribe("another").unwrap();
    let key = {
        let node = &mut cluster.nodes[0];
        let HubEvent::Joined { key } =
            node.until(|event| matches!(event, HubEvent::Joined { key } if !key.is_here()))
        else {
            unreachable!()
        };
        let next = |node: &mut super::Node| wait(node.events.next_event());
        assert_eq!(next(node), HubEvent::LoggedIn { key, user: "alice".into(), connections: 2 });
        assert_eq!(next(node), HubEvent::MetaSet { key, meta: "away".into() });
        assert_eq!(next(node), HubEvent::Subscribed { key, topic: "room".into() });
        assert_eq!(next(node), HubEvent::Subscribed { key, topic: "another".into() });
        key
    };
    let hub = cluster.hub(0);
    let counts = hub.counts();
    assert_eq!((counts.connections, counts.users, counts.topics), (2, 1, 2));
    assert_eq!(hub.users(), ["alice".into()]);
    for present in [hub.presence("alice"), hub.topic_presence("room")] {
        assert_eq!(present.len(), 2);
        assert_eq!((present[0].key, &present[0].node), (near.member.key(), &None));
        assert_eq!((present[1].key, present[1].node.as_deref()), (key, Some("b")));
        assert_eq!(
            (present[1].user.as_deref(), present[1].meta.as_deref()),
            (Some("alice"), Some(&b"away"[..]))
        );
    }
    let snapshot = hub.snapshot();
    assert_eq!((snapshot.connections.len(), snapshot.elsewhere.len(), snapshot.nodes), (1, 1, hub.nodes()));
    assert_eq!(
        hub.nodes().iter().map(|node| (&*node.name, node.connections)).collect::<Vec<_>>(),
        [("b", 1)]
    );
    // Those of both nodes count.
    let third = cluster.client(0);
    assert_eq!(third.member.login("alice", BESIDE), Err(LoginError::TooMany { at_most: 2 }));
    third.member.login("alice", Login::Beside { at_most: 3 }).unwrap();
    third.member.login("bob", BESIDE).unwrap();
    let third_key = third.member.key();
    let node = &mut cluster.nodes[0];
    let expected = [
        HubEvent::LoggedIn { key: third_key, user: "alice".into(), connections: 3 },
        HubEvent::LoggedIn { key: third_key, user: "bob".into(), connections: 1 },
        HubEvent::LoggedOut { key: third_key, user: "alice".into(), connections: 2 },
    ];
    assert_eq!(node.until(|event| matches!(event, HubEvent::LoggedIn { .. })), expected[0]);
    assert_eq!([wait(node.events.next_event()), wait(node.events.next_event())], expected[1..]);

    drop(near);
    assert!(cluster.hub(0).is_online("alice"));
    drop(far);
    let node = &mut cluster.nodes[0];
    let expected = [
        HubEvent::Unsubscribed { key, topic: "another".into() },
        HubEvent::Unsubscribed { key, topic: "room".into() },
        HubEvent::LoggedOut { key, user: "alice".into(), connections: 0 },
        HubEvent::Left { key, departure: Departure::Elsewhere },
    ];
    let first = node.until(|event| *event == expected[0]);
    let rest: Vec<_> = (1..4).map(|_| wait(node.events.next_event())).collect();
    assert_eq!([&[first], &rest[..]].concat(), expected);
    assert!(!node.hub.is_online("alice") && node.hub.topic_presence("room").is_empty());
    third.member.login("alice", BESIDE).unwrap();
}

fn the_second_login_replaces_the_first_on_another_node<R: Runtime>() {
    let mut cluster = Cluster::start::<R>(2);
    let (mut old, new) = (cluster.client(0), cluster.client(1));
    old.member.login("alice", Login::Replace).unwrap();
    // Known there, so that the second is the later one.
    cluster.nodes[1].until(|event| matches!(event, HubEvent::LoggedIn { .. }));
    new.member.login("alice", Login::Replace).unwrap();
    let Notice::Replaced { by } = wait(old.member.told()) else { panic!("another notice") };
    assert!(!by.is_here() && by.to_string().starts_with(&new.member.key().to_string()));
    assert_eq!(wait(old.member.told()), Notice::Left);
    let close = old.frame();
    assert_eq!((close.code(), &close.payload[2..]), (4001, &b"logged in elsewhere"[..]));
    assert_eq!(old.member.login("alice", Login::Replace), Err(LoginError::Left));
    let key = old.member.key();
    let left =
        cluster.nodes[0].until(|event| matches!(event, HubEvent::Left { key: left, .. } if *left == key));
    assert_eq!(left, HubEvent::Left { key, departure: Departure::Replaced { by } });
    // On both nodes it is here throughout, and once in the end.
    assert_eq!(cluster.hub(0).presence("alice").iter().map(|found| found.key).collect::<Vec<_>>(), [by]);
    cluster.nodes[1].until(|event| matches!(event, HubEvent::LoggedOut { connections: 1, .. }));
    assert_eq!(cluster.hub(1).presence("alice").len(), 1);
    assert!(new.member.is_here());
}

fn logins_at_the_same_time_leave_one<R: Runtime>() {
    let mut cluster = Cluster::start::<R>(2);
    let clients = [cluster.client(0), cluster.client(1)];
    thread::scope(|scope| {
        for client in &clients {
            scope.spawn(|| client.member.login("alice", Login::Replace).unwrap());
        }
    });
    // The loser's node says that it has left, and the winner's hears it.
    for node in &mut cluster.nodes {
        node.until(|event| matches!(event, HubEvent::LoggedOut { connections: 1, .. }));
        assert_eq!(node.hub.presence("alice").len(), 1);
    }
    assert_eq!(clients.iter().filter(|client| client.member.is_here()).count(), 1);
}

fn all_agree_in_the_end<R: Runtime>() {
    let mut cluster = Cluster::start::<R>(3);
    let clients: Vec<_> = (0..6).map(|index| cluster.client(index % 3)).collect();
    let members: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = clients
            .iter()
            .enumerate()
            .map(|(index, client)| {
                let hub = cluster.hub(index % 3);
                scope.spawn(move || come_and_go(hub, client, index))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut expected: Vec<_> = cluster.nodes.iter().flat_map(|node| view(&node.hub, true)).collect();
    expected.sort();
    for node in &mut cluster.nodes {
        while view(&node.hub, false) != expected {
            node.until(|_| true);
        }
        assert_eq!(node.hub.counts().connections, 6 * 11);
    }
    drop(members);
    // Those that the clients are themselves.
    for node in &mut cluster.nodes {
        while node.hub.counts().connections != 6 || node.hub.counts().topics != 0 {
            node.until(|_| true);
        }
    }
}

fn come_and_go(hub: &Hub, client: &super::Client, index: usize) -> Vec<Member> {
    let mut members = Vec::new();
    for round in 0..200 {
        let member = hub.join(&client.socket);
        // Beside: one that is replaced would close the socket of the others.
        let user = format!("user-{}", (round + index) % 7);
        member.login(&user, Login::Beside { at_most: 10_000 }).unwrap();
        member.subscribe(&format!("room-{}", round % 5)).unwrap();
        if round % 3 == 0 {
            member.set_meta(round.to_string()).unwrap();
        }
        members.push(member);
        if members.len() > 10 {
            drop(members.remove(round % 10));
        }
    }
    members
}

/// What a hub shows, or what it shows of its own connections.
fn view(hub: &Hub, of_its_own: bool) -> Vec<String> {
    let is_shown = |present: &Present| present.key.is_here() || !of_its_own;
    let mut all = Vec::new();
    for user in hub.users() {
        let shown = hub.presence(&user).into_iter().filter(is_shown);
        all.extend(shown.map(|present| format!("{user} {:?}", present.meta)));
    }
    for room in 0..5 {
        let topic = format!("room-{room}");
        let shown = hub.topic_presence(&topic).into_iter().filter(is_shown);
        all.extend(shown.map(|present| format!("{topic} {:?} {:?}", present.user, present.meta)));
    }
    all.sort();
    all
}
