//! A server that stops.

use std::io::Read;
use std::net::TcpStream;
use std::thread;

use endwell::core::Pace;
use endwell::http::StatusCode;
use endwell::{Exchange, ServerConfig};

use crate::dialling::Dialling;
use crate::peer::Peer;
use crate::secure::Secure;
use crate::support::{Gate, LONG, on_every_runtime, start, start_with, told};

on_every_runtime!(idle_connections_are_closed, open_exchanges_are_answered, handshakes_end);

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

fn idle_connections_are_closed<R: Dialling>() {
    let mut server =
        start::<Secure<R>, _, _>(async |exchange: Exchange| exchange.respond(StatusCode::OK, "ok"));
    let mut clients: Vec<_> = (0..10).map(|_| Peer::client(server.address)).collect();
    for client in &mut clients {
        client.shake_hands().unwrap();
        client.send(GET);
        client.read_until("ok");
    }
    server.stop();
    for client in &mut clients {
        let (rest, end) = client.rest();
        assert!(rest.is_empty() && end.is_ok(), "{end:?}");
    }
    drop(clients);
    server.wait();
    assert_eq!((server.counters.ended(), server.counters.aborted()), (10, 0));
}

fn open_exchanges_are_answered<R: Dialling>() {
    let (gate, (tell, arrived)) = (Gate::new(), told());
    let waiting = gate.clone();
    let mut server = start::<Secure<R>, _, _>(move |exchange: Exchange| {
        let (gate, tell) = (waiting.clone(), tell.clone());
        async move {
            tell.send(()).unwrap();
            gate.pass().await;
            exchange.respond(StatusCode::OK, "late")
        }
    });
    let mut client = Peer::client(server.address);
    client.shake_hands().unwrap();
    client.send(GET);
    arrived.next();
    server.stop();
    gate.open(1);
    let (response, end) = client.rest();
    end.unwrap();
    assert!(response.ends_with(b"late"));
    drop(client);
    server.wait();
}

/// Nobody waits for clients that have not shaken hands: they are closed at once, whatever time they had.
fn handshakes_end<R: Dialling>() {
    let mut config = ServerConfig::default();
    config.shutdown_time = 2 * LONG;
    // The end of a connection has a bound of its own, which is not meant here.
    config.output.pace = Pace::UNLIMITED;
    let mut server = start_with::<Secure<R, 1024, 60_000>, _, _>(config, async |exchange: Exchange| {
        exchange.respond(StatusCode::OK, "ok")
    });
    let silent = TcpStream::connect(server.address).unwrap();
    let mut half = Peer::client(server.address);
    half.tls.write_tls(&mut half.socket).unwrap();
    // It has answered: its part of the handshake is under way.
    assert!(half.tls.read_tls(&mut half.socket).unwrap() > 0);
    while server.counters.accepted() < 2 {
        thread::yield_now();
    }
    server.stop();
    for mut socket in [silent, half.socket] {
        socket.set_read_timeout(Some(LONG)).unwrap();
        socket.read_to_end(&mut Vec::new()).unwrap();
    }
    server.wait();
    assert_eq!(server.counters.ended(), 2);
}
