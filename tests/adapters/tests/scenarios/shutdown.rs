//! S29: a server that stops.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::{Answered, Ended, EndedKind, Exchange, ServerConfig};

use crate::aborted::aborted;
use crate::support::{Client, Cut, Gate, LONG, Runtime, on_every_runtime, start, start_with, told};

on_every_runtime!(
    open_exchanges_are_answered,
    idle_connections_close,
    a_started_response_goes_on,
    under_load,
    a_handler_that_hangs_is_cut_off,
    a_tunnel_in_another_task_is_cut_off,
    nobody_connects_any_more,
);

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

fn open_exchanges_are_answered<R: Runtime>() {
    let (gate, (tell, arrived)) = (Gate::new(), told());
    let waiting = gate.clone();
    let mut server = start::<R, _, _>(move |exchange: Exchange| {
        let (gate, tell) = (waiting.clone(), tell.clone());
        async move {
            tell.send(()).unwrap();
            gate.pass().await;
            exchange.respond(StatusCode::OK, "late")
        }
    });
    let mut idle = server.connect();
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(GET);
        arrived.next();
    }
    server.stop();
    idle.assert_closed();
    gate.open(clients.len());
    for client in &mut clients {
        let response = client.response().unwrap();
        assert_eq!((&response.body[..], response.announces_close()), (&b"late"[..], true));
        client.assert_closed();
    }
    drop((idle, clients));
    server.wait();
}

fn idle_connections_close<R: Runtime>() {
    let mut server = start::<R, _, _>(async |exchange: Exchange| exchange.respond(StatusCode::OK, "ok"));
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for client in &mut clients[..10] {
        client.send(GET);
        assert!(!client.response().unwrap().announces_close());
    }
    // The other half has not said anything yet, but was accepted: the backlog's rest would be reset.
    while server.counters.accepted() < 20 {
        thread::yield_now();
    }
    server.stop();
    for client in &mut clients {
        client.assert_closed();
    }
    drop(clients);
    server.wait();
    assert_eq!((server.counters.ended(), server.counters.aborted()), (20, 0));
}

/// The head was written when nothing was known of the stop: the whole response, then a clean close.
fn a_started_response_goes_on<R: Runtime>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let mut server = start::<R, _, _>(move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            response.write("first ").await?;
            gate.pass().await;
            response.write("second").await?;
            response.finish()
        }
    });
    let mut client = server.connect();
    client.send(GET);
    let start = client.read_exactly(17);
    server.stop();
    gate.open(1);
    client.unread(&start);
    assert_eq!(client.response().unwrap().body, b"first second");
    client.assert_closed();
    drop(client);
    server.wait();
}

/// Requests come without a pause. Each is answered whole, or the connection had closed between two of them.
fn under_load<R: Runtime>() {
    for round in 0..5 {
        let mut server = start::<R, _, _>(async |exchange: Exchange| {
            let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            response.write(vec![b'x'; 3000]).await?;
            response.write(vec![b'y'; 3000]).await?;
            response.finish()
        });
        let address = server.address;
        let clients: Vec<_> =
            (0..8).map(|_| thread::spawn(move || hammer(Client::connect(address)))).collect();
        while server.counters.exchanges() < 100 * (round + 1) {
            thread::yield_now();
        }
        server.stop();
        server.wait();
        let answered: u64 = clients.into_iter().map(|client| client.join().unwrap()).sum();
        assert_eq!(answered, server.counters.exchanges());
        assert_eq!(server.counters.aborted(), 0);
    }
}

/// How many requests were answered until the connection closed.
fn hammer(mut client: Client) -> u64 {
    for answered in 0.. {
        if client.socket.write_all(GET.as_bytes()).is_err() {
            return answered;
        }
        match client.response() {
            Ok(response) if response.announces_close() => {
                client.assert_closed();
                return answered + 1;
            }
            Ok(response) => assert_eq!(response.body.len(), 6000),
            // Closed before this request came, or not accepted: it was never answered.
            Err(Cut::InHead(0) | Cut::Reset(_)) => return answered,
            Err(other) => panic!("a response that had begun was cut: {other:?}"),
        }
    }
    0
}

fn a_handler_that_hangs_is_cut_off<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.shutdown_time = Duration::from_millis(200);
    let (tell, arrived) = told();
    let mut server = start_with::<R, _, _>(config, move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            tell.send(()).unwrap();
            std::future::pending::<()>().await;
            exchange.respond(StatusCode::OK, "never")
        }
    });
    let mut client = server.connect();
    client.send(GET);
    arrived.next();
    let before = Instant::now();
    server.stop();
    server.wait();
    assert!(before.elapsed() >= Duration::from_millis(200));
    assert!(before.elapsed() < LONG / 4);
    assert!(matches!(server.next_end().kind(), EndedKind::Shutdown));
    assert!(client.response().is_err());
}

/// The handler is gone, the tunnel lives on in a task that waits for the peer: it must hear of the end.
fn a_tunnel_in_another_task_is_cut_off<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.shutdown_time = Duration::from_millis(50);
    let (tell, heard) = told();
    let mut server = start_with::<R, _, _>(config, move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (mut tunnel, answered) =
                exchange.switch("echo", &FieldSection::new()).map_err(|_| aborted())?;
            R::spawn(async move {
                let mut buffer = [0; 10];
                let read = std::future::poll_fn(|cx| tunnel.poll_read(cx, &mut buffer)).await;
                tell.send(read.is_err()).unwrap();
            });
            Ok::<Answered, Ended>(answered)
        }
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
    assert_eq!(client.response().unwrap().status, 101);
    server.stop();
    server.wait();
    assert!(heard.next(), "an error, and not the end of the stream");
    let mut rest = Vec::new();
    // The end, of whatever kind, and not the time limit.
    let end = std::io::Read::read_to_end(&mut client.socket, &mut rest);
    assert!(end.is_ok_and(|len| len == 0) || rest.is_empty());
}

fn nobody_connects_any_more<R: Runtime>() {
    let gate = Gate::new();
    let (tell, arrived) = told();
    let waiting = gate.clone();
    let mut server = start::<R, _, _>(move |exchange: Exchange| {
        let (gate, tell) = (waiting.clone(), tell.clone());
        async move {
            tell.send(()).unwrap();
            gate.pass().await;
            exchange.respond(StatusCode::OK, "ok")
        }
    });
    let mut client = server.connect();
    client.send(GET);
    arrived.next();
    let mut idle = server.connect();
    while server.counters.accepted() < 2 {
        thread::yield_now();
    }
    server.stop();
    idle.assert_closed();
    let before = Instant::now();
    while TcpStream::connect(server.address).is_ok() {
        assert!(before.elapsed() < LONG, "connections are still taken");
        thread::yield_now();
    }
    gate.open(1);
    assert!(client.response().unwrap().announces_close());
}
