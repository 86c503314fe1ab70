//! The bus over a real nats-server.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use endwell::Bytes;
use endwell::hub::{Backplane, BusEvent, Publication, Refused};
use endwell_nats::{ConnectError, Nats, NatsConfig};
use support::{LONG, Raw, Server, barrier, message, next, publish, temporary, wait};

/// Connects without any runtime.
fn try_connect(config: NatsConfig, url: &str) -> Result<Nats, ConnectError> {
    let mut connecting = pin!(config.connect(url));
    wait(LONG, |cx| connecting.as_mut().poll(cx)).expect("no answer")
}

fn config() -> NatsConfig {
    NatsConfig::new("chat")
}

fn connect(server: &Server) -> Nats {
    connect_with(config(), server)
}

fn connect_with(config: NatsConfig, server: &Server) -> Nats {
    let mut nats = try_connect(config, &server.url()).unwrap();
    assert_eq!(next(&mut nats), BusEvent::Connected);
    barrier(&mut nats);
    nats
}

#[test]
fn each_hears_what_any_publishes_as_it_was() {
    let Some(server) = Server::start(&[]) else { return };
    let [mut one, mut other] = [connect(&server), connect(&server)];
    barrier(&mut one);
    assert_eq!(message(&mut other).0, "c.barrier");
    let all_bytes: Vec<u8> = (0..=255).cycle().take(256 * 1024).collect();
    let messages = [
        ("m.topic.lobby", Some("1 9f86d081884c7d65 1 text drop-oldest"), Bytes::from_static(b"hello")),
        ("m.topic.%C3%BC%20%", None, Bytes::new()),
        ("m.all", Some("1"), all_bytes.into()),
    ];
    for (subject, header, payload) in &messages {
        one.try_publish(Publication { subject, header: *header, payload }).unwrap();
    }
    for (subject, header, payload) in messages {
        for nats in [&mut one, &mut other] {
            assert_eq!(message(nats), (subject.to_owned(), header.map(ToOwned::to_owned), payload.clone()));
        }
    }
    let status = one.monitor().status();
    assert!(status.is_connected);
    assert_eq!((status.connections, status.overflowed, status.unsendable, status.error), (1, 0, 0, None));
    assert_eq!((status.sent, status.received), (5, 6));
}

#[test]
fn a_message_from_a_shell_arrives_and_those_of_other_prefixes_do_not() {
    let Some(server) = Server::start(&[]) else { return };
    let mut nats = connect(&server);
    let mut shell = Raw::connect(&server);
    shell.publish("chatter.m.topic.lobby", b"no");
    shell.publish("chat", b"no");
    shell.write(b"PUB chat.m.topic.lobby 5\r\nhello\r\n");
    shell.write(b"HPUB chat.m.all 28 30\r\nNATS/1.0\r\nEndwell-Hub: 1\r\n\r\nhi\r\n");
    shell.write(b"HPUB chat.m.all 22 24\r\nNATS/1.0\r\nOther: 1\r\n\r\nhi\r\n");
    let [hello, hi] = [Bytes::from_static(b"hello"), Bytes::from_static(b"hi")];
    assert_eq!(message(&mut nats), ("m.topic.lobby".into(), None, hello));
    assert_eq!(message(&mut nats), ("m.all".into(), Some("1".into()), hi.clone()));
    assert_eq!(message(&mut nats), ("m.all".into(), None, hi));
}

#[test]
fn a_restart_is_a_cut_and_nothing_that_waited_comes_late() {
    let Some(mut server) = Server::start(&[]) else { return };
    let mut nats = connect(&server);
    // It takes them, since nothing shows yet that they go nowhere.
    server.signal("STOP");
    let old = Bytes::from(vec![b'x'; 1024]);
    for _ in 0..500 {
        publish(&mut nats, "m.all", &old).unwrap();
    }
    server.kill();
    assert_eq!(next(&mut nats), BusEvent::Cut);
    assert_eq!(publish(&mut nats, "m.all", &old), Err(Refused));
    assert!(!nats.monitor().status().is_connected);
    server.restart();
    // Until the hub is told of the new connection, what it publishes was meant for the last.
    while nats.monitor().status().connections < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(publish(&mut nats, "m.all", &old), Err(Refused));
    assert_eq!(next(&mut nats), BusEvent::Connected);
    publish(&mut nats, "m.all", &Bytes::from_static(b"first")).unwrap();
    assert_eq!(message(&mut nats).2, "first");
    assert_eq!(nats.monitor().status().error, None);
    // The client of the last connection is not there too.
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_frozen_server_is_a_cut_after_three_pings() {
    let Some(server) = Server::start(&[]) else { return };
    let interval = Duration::from_millis(300);
    let mut nats = connect_with(config().ping_interval(interval), &server);
    server.signal("STOP");
    let since = Instant::now();
    assert_eq!(next(&mut nats), BusEvent::Cut);
    let took = since.elapsed();
    assert!(took < interval * 3 + Duration::from_secs(2), "{took:?}");
    // It accepts connections still, and says nothing.
    while !nats.monitor().status().error.is_some_and(|error| error.contains("timed out")) {
        assert!(since.elapsed() < LONG, "{nats:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(wait(Duration::ZERO, |cx| nats.poll(cx)), None);
    server.signal("CONT");
    assert_eq!(next(&mut nats), BusEvent::Connected);
    barrier(&mut nats);
}

#[test]
fn a_server_that_takes_nothing_is_refused_more_and_the_task_is_woken_when_it_does() {
    let Some(server) = Server::start(&[]) else { return };
    let mut nats = connect_with(config().ping_interval(LONG), &server);
    server.signal("STOP");
    let payload = Bytes::from(vec![b'x'; 128 * 1024]);
    let mut taken = 0;
    // The sockets hold some MiB, the client 2 MiB and some, the queue 1 MiB.
    let most = 64 * 1024 * 1024 / payload.len();
    let mut refused = 0;
    while refused < 20 {
        if publish(&mut nats, "m.all", &payload).is_ok() {
            taken += 1;
        } else {
            refused += 1;
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(taken < most, "it takes without end");
    }
    // What came back before it stopped.
    while wait(Duration::from_millis(50), |cx| nats.poll(cx)).is_some() {
        taken -= 1;
    }
    server.signal("CONT");
    // Everything that was taken comes, and there is room again.
    for _ in 0..taken {
        assert_eq!(message(&mut nats).2.len(), payload.len());
    }
    publish(&mut nats, "m.all", &payload).unwrap();
    assert_eq!(message(&mut nats).2.len(), payload.len());
    assert_eq!(nats.monitor().status().overflowed, 0);
}

#[test]
fn a_flood_is_taken_whole() {
    const MESSAGES: u64 = 200_000;
    let Some(server) = Server::start(&[]) else { return };
    let mut nats = connect(&server);
    let monitor = nats.monitor();
    let before = monitor.status().received;
    let mut shell = Raw::connect(&server);
    let flood = std::thread::spawn(move || {
        let lines: Vec<u8> = (0..1000).flat_map(|_| line("chat.m.all", &[b'x'; 100])).collect();
        for _ in 0..MESSAGES / 1000 {
            shell.write(&lines);
        }
        shell.barrier();
    });
    // Each is handed out or counted, on a machine that is too busy to keep up; the client drops none unseen.
    let mut handed_out = 0;
    while handed_out + monitor.status().overflowed < MESSAGES {
        let event = wait(Duration::from_secs(5), |cx| nats.poll(cx));
        assert!(event.is_some(), "{handed_out} of {MESSAGES}: {:?}", monitor.status());
        handed_out += 1;
    }
    flood.join().unwrap();
    assert_eq!(monitor.status().received - before, MESSAGES);
}

fn line(subject: &str, payload: &[u8]) -> Vec<u8> {
    [format!("PUB {subject} {}\r\n", payload.len()).as_bytes(), payload, b"\r\n"].concat()
}

#[test]
fn what_a_hub_does_not_take_is_bounded_and_counted() {
    let Some(server) = Server::start(&[]) else { return };
    for (payload, messages, kept) in [(100, 100_000, 65_536), (64 * 1024, 400, 255)] {
        let mut nats = connect(&server);
        let monitor = nats.monitor();
        let before = monitor.status().received;
        let mut shell = Raw::connect(&server);
        for _ in 0..messages {
            shell.publish("chat.m.all", &vec![b'x'; payload]);
        }
        shell.barrier();
        let since = Instant::now();
        while monitor.status().received - before < messages {
            assert!(since.elapsed() < LONG, "{:?}", monitor.status());
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(monitor.status().overflowed, messages - kept);
        for _ in 0..kept {
            assert_eq!(message(&mut nats).2.len(), payload);
        }
        // There is room again.
        barrier(&mut nats);
    }
}

#[test]
fn a_flush_brings_everything_to_the_server_before_the_end() {
    let Some(server) = Server::start(&[]) else { return };
    let [mut hears, mut leaves] = [connect(&server), connect(&server)];
    assert_eq!(message(&mut hears).0, "c.barrier");
    // More than the sockets hold, and less than cuts a subscriber that takes nothing meanwhile.
    server.signal("STOP");
    let payload = Bytes::from(vec![b'x'; 128 * 1024]);
    let mut published = 0;
    while wait(Duration::from_millis(100), |cx| leaves.poll_flush(cx)).is_some() {
        while publish(&mut leaves, "m.all", &payload).is_ok() {
            published += 1;
        }
    }
    server.signal("CONT");
    wait(LONG, |cx| leaves.poll_flush(cx)).unwrap();
    drop(leaves);
    for _ in 0..published {
        assert_eq!(message(&mut hears).2.len(), payload.len());
    }
    // The other one's connection has gone with it.
    let since = Instant::now();
    while server.connections() > 1 {
        assert!(since.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(5));
    }
    // A second time there is nothing to write.
    wait(LONG, |cx| hears.poll_flush(cx)).unwrap();
    assert_eq!(wait(Duration::ZERO, |cx| hears.poll_flush(cx)), Some(()));
}

#[test]
fn the_last_words_of_a_hub_that_is_dropped_go_out() {
    let Some(server) = Server::start(&[]) else { return };
    let [mut hears, mut leaves] = [connect(&server), connect(&server)];
    assert_eq!(message(&mut hears).0, "c.barrier");
    for number in 0..100 {
        publish(&mut leaves, "m.all", &number.to_string().into()).unwrap();
    }
    drop(leaves);
    for number in 0..100 {
        assert_eq!(message(&mut hears).2, number.to_string());
    }
}

#[test]
fn each_failure_of_the_first_attempt_has_its_error() {
    let refused = try_connect(config(), "nats://127.0.0.1:1");
    assert!(matches!(refused, Err(ConnectError::Unreachable(_))), "{refused:?}");
    let no_url = try_connect(config(), "http://127.0.0.1:1");
    assert!(matches!(no_url, Err(ConnectError::Url(_))), "{no_url:?}");
    let no_prefix = try_connect(NatsConfig::new("chat.>"), "nats://127.0.0.1:1");
    assert!(matches!(no_prefix, Err(ConnectError::Prefix(_))), "{no_prefix:?}");

    let Some(server) = Server::start(&["--user", "chat", "--pass", "secret"]) else { return };
    let denied = try_connect(config().user_and_password("chat", "wrong"), &server.url());
    assert!(matches!(denied, Err(ConnectError::Denied(_))), "{denied:?}");
    drop(try_connect(config().user_and_password("chat", "secret"), &server.url()).unwrap());
    drop(try_connect(config(), &format!("nats://chat:secret@127.0.0.1:{}", server.port)).unwrap());

    let folder = temporary();
    fs::write(folder.join("small"), "max_payload: 65536").unwrap();
    let file = folder.join("small").display().to_string();
    let small = Server::start(&["--config", &file]).unwrap();
    let unfit = try_connect(config(), &small.url());
    assert!(matches!(unfit, Err(ConnectError::Unfit { max_payload: 65_536, headers: true })), "{unfit:?}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn one_that_connects_later_waits_for_its_server() {
    let Some(mut server) = Server::start(&[]) else { return };
    server.kill();
    let mut nats = config().connect_later(&server.url()).unwrap();
    let monitor = nats.monitor();
    while monitor.status().error.is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(publish(&mut nats, "m.all", &Bytes::new()), Err(Refused));
    assert_eq!(wait(Duration::ZERO, |cx| nats.poll(cx)), None);
    server.restart();
    assert_eq!(next(&mut nats), BusEvent::Connected);
    barrier(&mut nats);
}

#[test]
fn the_other_servers_of_a_cluster_serve_when_that_of_the_url_has_gone() {
    let cluster = ["--cluster_name", "c", "--cluster", "nats://127.0.0.1:-1"];
    let Some(mut first) = Server::start(&cluster) else { return };
    let route = first.route.clone().unwrap();
    let second = Server::start(&[&cluster[..], &["--routes", &route]].concat()).unwrap();
    // Servers tell of those that they know of when a client connects.
    while !Raw::connect(&first).info.contains(&second.port.to_string()) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut nats = connect(&first);
    first.kill();
    assert_eq!(next(&mut nats), BusEvent::Cut);
    assert_eq!(next(&mut nats), BusEvent::Connected);
    barrier(&mut nats);
    assert_eq!(second.connections(), 1);
}
