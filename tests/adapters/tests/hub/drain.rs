//! A hub is drained: the closes are spread, and the report names those who did not make it.

use std::thread;
use std::time::{Duration, Instant};

use endwell::ServerConfig;
use endwell::blocking::Threads;
use endwell::hub::{Drain, Hub, Login, Notice};
use endwell::ws::{Close, WhenFull};

use crate::peer::Peer;
use crate::service::{handing_over, wait};
use crate::support::{Runtime, on_every_runtime};

on_every_runtime!(closes_are_spread_and_who_is_late_is_named, all_leave_in_time);

const CLIENTS: usize = 10;

fn all_leave_in_time<R: Runtime>() {
    let spread = Duration::from_millis(200);
    let hub = Hub::default();
    let (server, next) = handing_over::<R>(ServerConfig::default());
    let (mut members, mut peers, mut handlers) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..CLIENTS {
        peers.push(Peer::connect(&server));
        let mut socket = next();
        members.push(hub.join(&socket));
        handlers.push(thread::spawn(move || {
            wait(async {
                while socket.receive().await.is_some() {}
                socket.close(Close::EMPTY).await
            })
        }));
    }
    let mut told = members.remove(0);
    hub.everyone().send("before", WhenFull::DropNewest).now();
    let began = Instant::now();
    let clients: Vec<_> = peers
        .into_iter()
        .map(|mut peer| {
            thread::spawn(move || {
                assert_eq!(peer.frame().as_text(), "before");
                assert_eq!(peer.assert_closes(), 1001);
                began.elapsed()
            })
        })
        .collect();
    let report = wait(hub.drain(&Threads, Drain { within: Duration::from_secs(10), spread }));
    assert_eq!((report.in_time, report.late.len()), (CLIENTS, 0), "{report}");
    let closed: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    println!("drain {:<17} closed after {closed:.0?}", R::NAME);
    // The turn of each is as long after the first as it says, and no sooner.
    for (index, at) in closed.iter().enumerate() {
        assert!(*at >= spread * index as u32 / CLIENTS as u32, "{index} was closed after {at:?}");
    }
    assert_eq!(wait(told.told()), Notice::Draining { within: Duration::from_secs(10) });
    assert_eq!(wait(told.told()), Notice::Left);
    // Who comes now is closed at once.
    let mut peer = Peer::connect(&server);
    let socket = next();
    let mut late = hub.join(&socket);
    assert_eq!(wait(late.told()), Notice::Draining { within: Duration::from_secs(10) });
    assert_eq!(peer.assert_closes(), 1001);
    drop((members, handlers));
}

fn closes_are_spread_and_who_is_late_is_named<R: Runtime>() {
    let hub = Hub::default();
    let (server, next) = handing_over::<R>(ServerConfig::default());
    let join = |user| {
        let peer = Peer::connect(&server);
        let socket = next();
        let member = hub.join(&socket);
        member.login(user, Login::Replace).unwrap();
        (peer, socket, member)
    };
    // The first answers the Close, and the second neither answers nor leaves.
    let (mut good, _good_socket, _good_member) = join("alice");
    let (bad, _bad_socket, bad_member) = join("bob");
    let answering = thread::spawn(move || good.assert_closes());
    let report =
        wait(hub.drain(&Threads, Drain { within: Duration::from_millis(300), spread: Duration::ZERO }));
    assert_eq!(answering.join().unwrap(), 1001);
    assert_eq!(report.in_time, 1, "{report}");
    let [late] = &report.late[..] else { panic!("{report}") };
    assert_eq!((late.key, late.user.as_deref(), late.unsent_messages), (bad_member.key(), Some("bob"), 0));
    assert!(
        report.to_string().contains(&format!("\nconnection {} of bob, here for ", bad_member.key())),
        "{report}"
    );
    // Long before the time for the closing handshake is over, which is 5 s.
    let began = Instant::now();
    let ends = [server.next_end(), server.next_end()];
    assert!(began.elapsed() < Duration::from_secs(4));
    println!("drain {:<17} {report}\n{} and {}", R::NAME, ends[0], ends[1]);
    assert_eq!(hub.counts().connections, 0);
    drop(bad);
}
