//! What ends, and what does not end because of others.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use endwell_core::ws::CloseCode;
use endwell_core::{Limit, Outcome, Pace};
use socket2::SockRef;

use super::help::{GET, LONG, SHORT, closes, exact, frame, head, limits, receive, rest, serve, ws_limits};

/// It sends faster than its frames are taken, so a turn without a bound would not end.
#[test]
fn a_peer_that_floods_leaves_the_others_their_turn() {
    let server = limits(|_| {});
    let mut flood = server.web_socket();
    let is_over = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&is_over);
    let flooding = thread::spawn(move || {
        let pongs = frame(0x8a, b"").repeat(100_000);
        while !until.load(Ordering::Relaxed) {
            flood.write_all(&pongs).unwrap();
        }
    });
    for _ in 0..2 {
        assert!(head(&mut server.send(GET)).starts_with("HTTP/1.1 200 "));
    }
    is_over.store(true, Ordering::Relaxed);
    flooding.join().unwrap();
    server.stop();
}

#[test]
fn a_peer_that_takes_nothing_is_reset() {
    let server = serve(|settings| {
        Arc::make_mut(&mut settings.output).pace = Pace::silence(SHORT);
        Arc::make_mut(&mut settings.http).request_pace = Pace::UNLIMITED;
    });
    let mut client = server.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 900000000\r\n\r\n");
    let error = loop {
        if let Err(error) = client.write_all(&vec![0; 100_000]) {
            break error;
        }
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    assert_eq!(server.exceeded(), Limit::WriteProgress);
    server.stop();
}

#[test]
fn every_wait_for_http_has_its_end() {
    let server = limits(|limits| limits.first_byte_time = SHORT);
    assert_eq!(rest(&mut server.connect()), "");
    assert_eq!(server.exceeded(), Limit::FirstByteTime);

    let server = limits(|limits| limits.head_time = SHORT);
    assert!(rest(&mut server.send("GET / HT")).starts_with("HTTP/1.1 408 "));
    assert_eq!(server.exceeded(), Limit::HeadTime);

    let server = limits(|limits| limits.idle_time = SHORT);
    assert!(rest(&mut server.send(GET)).ends_with("\r\n\r\nhello\n"));
    assert_eq!(server.exceeded(), Limit::IdleTime);

    let server = limits(|limits| limits.request_pace = Pace::silence(SHORT));
    let mut client = server.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\npart");
    assert!(rest(&mut client).ends_with("\r\n\r\n4\r\npart\r\n"));
    drop(client);
    assert_eq!(server.ended().unwrap(), Outcome::Aborted);

    // It keeps its side open, and so its end of the stream is waited for no longer than this.
    let server = limits(|limits| limits.linger_time = SHORT);
    let mut client = server.send("GET / HTTP/1.0\r\n\r\n");
    assert!(rest(&mut client).ends_with("\r\n\r\nhello\n"));
    assert_eq!(server.ended().unwrap(), Outcome::ByUs);
}

#[test]
fn every_wait_of_a_web_socket_has_its_end() {
    let server = ws_limits(|limits| (limits.ping_interval, limits.pong_time) = (Some(SHORT), LONG));
    let mut client = server.web_socket();
    for _ in 0..2 {
        let (0x89, payload) = receive(&mut client) else { panic!("a ping is due") };
        client.write_all(&frame(0x8a, &payload)).unwrap();
    }
    let server = ws_limits(|limits| (limits.ping_interval, limits.pong_time) = (Some(SHORT), SHORT));
    let mut client = server.web_socket();
    assert_eq!(receive(&mut client).0, 0x89);
    closes(&mut client, CloseCode::POLICY_VIOLATION);
    drop(client);
    assert_eq!(server.exceeded(), Limit::PongTime);

    let server = ws_limits(|limits| limits.message_pace = Pace::silence(SHORT));
    let mut client = server.web_socket();
    client.write_all(&frame(0x01, b"begun")).unwrap();
    closes(&mut client, CloseCode::POLICY_VIOLATION);
    drop(client);
    assert_eq!(server.exceeded(), Limit::MessageProgress);

    // Its Close is not answered.
    let server = ws_limits(|limits| limits.close_time = SHORT);
    let mut client = server.web_socket();
    server.stop.wake().unwrap();
    closes(&mut client, CloseCode::GOING_AWAY);
    assert_eq!(server.exceeded(), Limit::CloseTime);
}

/// It does not ask for the body, and takes longer than the client has for it.
#[test]
fn an_application_that_works_lets_no_time_of_its_peer_run() {
    let server = serve(|settings| {
        settings.later = 4 * SHORT;
        Arc::make_mut(&mut settings.http).request_pace = Pace::silence(SHORT);
    });
    let mut client = server.send("POST /later HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n");
    let head = head(&mut client);
    assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("\r\nconnection:"), "{head}");
    drop(client);
    server.stop();
}

/// In each state, also while nothing is read because the peer takes nothing.
#[test]
fn a_reset_is_noticed() {
    let server = serve(|settings| {
        settings.later = 2 * LONG;
        Arc::make_mut(&mut settings.output).pace = Pace::UNLIMITED;
        Arc::make_mut(&mut settings.http).request_pace = Pace::UNLIMITED;
    });
    let reset = |client: TcpStream| SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    let mut idle = server.send(GET);
    head(&mut idle);
    let mut uploads = server.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\npart");
    head(&mut uploads);
    let mut reads_nothing =
        server.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 900000000\r\n\r\n");
    reads_nothing.set_nonblocking(true).unwrap();
    let mut blocked = 0;
    while blocked < 100 {
        match reads_nothing.write(&vec![0; 100_000]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                blocked += 1;
                thread::yield_now();
            }
            written => blocked = blocked.min(usize::from(written.unwrap() == 0)),
        }
    }
    // No read tells of it: the client has ended its side, or has sent more than fits, while the application works.
    let ended = server.send("GET /later HTTP/1.1\r\nhost: a\r\n\r\n");
    ended.shutdown(Shutdown::Write).unwrap();
    let full = server.send(format!("GET /later HTTP/1.1\r\nhost: a\r\n\r\n{}", GET.repeat(5000)));
    for client in [idle, uploads, server.web_socket(), reads_nothing, ended, full] {
        reset(client);
        let error = server.ended().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    }
    server.stop();
}

#[test]
fn more_connections_than_are_allowed_wait_in_the_backlog() {
    let server = serve(|settings| settings.connections = 2);
    let [mut first, mut second] = [(); 2].map(|()| server.send(GET));
    for client in [&mut first, &mut second] {
        head(client);
    }
    let mut third = server.send(GET);
    third.set_read_timeout(Some(SHORT)).unwrap();
    assert!(third.read(&mut [0]).is_err(), "it waits");
    drop(first);
    third.set_read_timeout(Some(LONG)).unwrap();
    assert!(head(&mut third).starts_with("HTTP/1.1 200 "));
    drop((second, third));
    server.stop();
}

#[test]
fn above_the_budget_the_one_that_holds_most_ends() {
    let server = serve(|settings| settings.bytes = 1_000_000);
    let mut others = [(); 3].map(|()| server.web_socket());
    for client in &mut others {
        client.write_all(&frame(0x02, &vec![7; 100_000])).unwrap();
    }
    let mut client = server.web_socket();
    client.write_all(&frame(0x02, &vec![7; 900_000])).unwrap();
    closes(&mut client, CloseCode::TRY_AGAIN_LATER);
    for client in &mut others {
        client.write_all(&frame(0x80, b"")).unwrap();
        assert!(receive(client) == (0x82, vec![7; 100_000]));
    }
    drop((client, others));
    server.stop();
}

#[test]
fn a_server_that_stops_ends_in_order() {
    let server = limits(|_| {});
    let mut idle = server.send(GET);
    assert!(head(&mut idle).starts_with("HTTP/1.1 200 "));
    let mut uploads = server.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\npart");
    assert!(head(&mut uploads).starts_with("HTTP/1.1 200 "));
    let mut begun = server.send("GET / HT");
    let mut socket = server.web_socket();
    server.stop.wake().unwrap();

    assert_eq!(rest(&mut idle), "hello\n");
    closes(&mut socket, CloseCode::GOING_AWAY);
    assert!(TcpStream::connect(server.address).is_err());
    socket.write_all(&frame(0x88, &1001_u16.to_be_bytes())).unwrap();
    assert_eq!(rest(&mut socket), "");
    begun.write_all(b"TP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let last = rest(&mut begun);
    assert!(last.contains("\r\nconnection: close\r\n") && last.ends_with("hello\n"), "{last}");
    uploads.write_all(b" more").unwrap();
    assert_eq!(rest(&mut uploads), "4\r\npart\r\n5\r\n more\r\n0\r\n\r\n");
    drop((idle, uploads, begun, socket));
    server.stopped();

    // What does not end in time is reset, so that it does not look whole.
    let server = serve(|settings| {
        settings.grace = SHORT;
        Arc::make_mut(&mut settings.http).request_pace = Pace::UNLIMITED;
    });
    let mut uploads = server.send("POST /echo HTTP/1.0\r\ncontent-length: 9\r\n\r\npart");
    head(&mut uploads);
    server.stop();
    assert_eq!(exact(&mut uploads, 4), b"part");
    assert_eq!(uploads.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}
