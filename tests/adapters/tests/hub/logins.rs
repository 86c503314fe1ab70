//! S22: a login races the end of its connection, and a second login of a user replaces the first. The hub never shows a
//! user whose connection is gone, and the late end of the old connection does not take the place of the new one.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use endwell::ServerConfig;
use endwell::hub::{Hub, Login, LoginError, Notice};
use endwell::ws::Close;

use crate::peer::{HANDSHAKE, Peer};
use crate::service::{accept, handing_over, wait};
use crate::support::{Client, Runtime, on_every_runtime, start};

on_every_runtime!(
    the_second_login_replaces_the_first,
    logins_race_ends,
    a_login_behind_the_end_is_refused,
    as_many_as_are_allowed_stay_beside,
);

fn the_second_login_replaces_the_first<R: Runtime>() {
    let hub = Hub::default();
    let (server, next) = handing_over::<R>(ServerConfig::default());
    let join = || {
        let peer = Peer::connect(&server);
        let socket = next();
        let member = hub.join(&socket);
        (peer, socket, member)
    };
    let (mut old_peer, old_socket, mut old) = join();
    let (_peer, _socket, new) = join();
    old.subscribe("room").unwrap();
    old.login("alice", Login::Replace).unwrap();
    new.login("alice", Login::Replace).unwrap();
    assert_eq!(wait(old.told()), Notice::Replaced { by: new.key() });
    assert_eq!(wait(old.told()), Notice::Left);
    let close = old_peer.frame();
    assert_eq!((close.code(), &close.payload[2..]), (4001, &b"logged in elsewhere"[..]));
    let keys = || hub.presence("alice").iter().map(|found| found.key).collect::<Vec<_>>();
    assert_eq!(keys(), [new.key()]);
    // All that the old one was has ended, and it can do nothing more.
    assert!(hub.topic_presence("room").is_empty() && !old.is_here() && new.is_here());
    assert_eq!(old.login("alice", Login::Replace), Err(LoginError::Left));
    // Its late end changes nothing.
    drop((old, old_peer));
    wait(old_socket.close(Close::EMPTY));
    assert_eq!(keys(), [new.key()]);
    // Nor does a login as the same user.
    new.login("alice", Login::Replace).unwrap();
    assert_eq!(keys(), [new.key()]);
    new.login("bob", Login::Replace).unwrap();
    assert!(!hub.is_online("alice") && hub.is_online("bob"));
    drop(new);
    assert_eq!(hub.counts(), endwell::hub::HubCounts::default());
}

fn a_login_behind_the_end_is_refused<R: Runtime>() {
    let hub = Hub::default();
    let (server, next) = handing_over::<R>(ServerConfig::default());
    let peer = Peer::connect(&server);
    let mut socket = next();
    let mut member = hub.join(&socket);
    member.login("alice", Login::Replace).unwrap();
    peer.client.reset();
    server.next_end();
    // The socket and the member are still held.
    assert!(!hub.is_online("alice") && !member.is_here());
    assert_eq!(member.login("alice", Login::Replace), Err(LoginError::Left));
    assert_eq!(wait(member.told()), Notice::Left);
    assert!(wait(socket.receive()).is_none());
    // One that joins after its end is never here.
    let late = hub.join(&socket);
    assert!(!late.is_here() && late.login("bob", Login::Replace).is_err());
    assert_eq!(hub.counts().connections, 0);
}

fn as_many_as_are_allowed_stay_beside<R: Runtime>() {
    let hub = Hub::default();
    let (server, next) = handing_over::<R>(ServerConfig::default());
    let all: Vec<_> = (0..3)
        .map(|_| {
            let peer = Peer::connect(&server);
            let socket = next();
            let member = hub.join(&socket);
            (peer, socket, member)
        })
        .collect();
    let beside = Login::Beside { at_most: 2 };
    let login = |index: usize| all[index].2.login("alice", beside);
    assert_eq!((login(0), login(1), login(1)), (Ok(()), Ok(()), Ok(())));
    assert_eq!(login(2), Err(LoginError::TooMany { at_most: 2 }));
    assert_eq!(hub.presence("alice").len(), 2);
    assert_eq!(login(2).unwrap_err().to_string(), "the user has 2 connections, and may have no more");
}

/// Clients log in as one of a few users and leave, while the hub is asked all the time.
fn logins_race_ends<R: Runtime>() {
    const USERS: usize = 4;
    const CLIENTS: usize = 100;
    let hub = Hub::default();
    let logins = std::sync::Arc::new(AtomicUsize::new(0));
    let server = {
        let (hub, logins) = (hub.clone(), logins.clone());
        start::<R, _, _>(move |exchange| {
            let (hub, logins) = (hub.clone(), logins.clone());
            async move {
                let user = exchange.path().to_owned();
                let mut socket = accept(exchange)?;
                let member = hub.join(&socket);
                if member.login(&user, Login::Replace).is_ok() {
                    logins.fetch_add(1, Ordering::Relaxed);
                }
                while socket.receive().await.is_some() {}
                Err::<endwell::Answered, _>(socket.close(Close::EMPTY).await)
            }
        })
    };
    let (goes_on, address) = (AtomicBool::new(true), server.address);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|client_number: usize| {
                scope.spawn(move || {
                    for number in 0..CLIENTS {
                        let mut client = Client::connect(address);
                        client.send(
                            HANDSHAKE.replace("/chat", &format!("/user{}", (client_number + number) % USERS)),
                        );
                        let peer = Peer::accepted(client);
                        if number % 2 == 0 {
                            peer.client.reset();
                        }
                    }
                })
            })
            .collect();
        let watching = scope.spawn(|| {
            let mut looks = 0;
            while goes_on.load(Ordering::Relaxed) {
                for user in 0..USERS {
                    assert!(
                        hub.presence(&format!("/user{user}")).len() <= 1,
                        "two are there, and each replaces"
                    );
                }
                looks += 1;
                thread::yield_now();
            }
            looks
        });
        for client in clients {
            client.join().unwrap();
        }
        for _ in 0..4 * CLIENTS {
            server.next_end();
        }
        assert_eq!((hub.counts().users, hub.counts().connections), (0, 0), "a user whose connection is gone");
        goes_on.store(false, Ordering::Relaxed);
        let (looks, logins) = (watching.join().unwrap(), logins.load(Ordering::Relaxed));
        println!(
            "S22 {:<17} {logins} logins of {} connections as {USERS} users, seen in {looks} looks",
            R::NAME,
            4 * CLIENTS
        );
        assert!(logins > 0 && looks > 0);
    });
}
