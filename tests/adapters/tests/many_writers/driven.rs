//! A socket whose application does something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use endwell::ServerConfig;
use endwell::ws::{CloseCode, Content};

use crate::peer::{FIN, PING, PONG, Peer, close, frame, text};
use crate::service::{handing_over, handing_over_narrow, wait};
use crate::support::{Runtime, on_every_runtime, start_with};

on_every_runtime!(pings_pass_while_the_application_works, no_more_than_the_inbox_holds_is_read_ahead);

const INTERVAL: Duration = Duration::from_millis(40);

fn pinging() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.ws.ping_interval = Some(INTERVAL);
    config
}

/// The application has its socket and never asks for anything: pings are answered, and pings come.
fn pings_pass_while_the_application_works<R: Runtime>() {
    let (server, next) = handing_over::<R>(pinging());
    let mut peer = Peer::connect(&server);
    let mut socket = next();
    for round in 0..4u8 {
        peer.send(text("for later"));
        peer.send(frame(FIN | PING, &[round]));
        let mut is_answered = false;
        let mut pinged = 0;
        // Its answer, and two pings of the server's own.
        while !is_answered || pinged < 2 {
            let frame = peer.frame();
            match frame.first & 0x0f {
                PING => {
                    pinged += 1;
                    peer.send(crate::peer::frame(FIN | PONG, &frame.payload));
                }
                PONG => is_answered = frame.payload == [round],
                _ => panic!("{frame:?}"),
            }
        }
    }
    let mut later = 0;
    while later < 4 {
        later += usize::from(wait(socket.receive()).unwrap().content() == Content::Text("for later"));
    }
    peer.send(close(1000));
    while let PING = peer_frame(&mut peer) {}
    while wait(socket.receive()).is_some() {}
    drop(peer);
    println!("{:<17} {}", R::NAME, wait(socket.close(CloseCode::NORMAL)));
    // In the handler's own task it is the same.
    let server = start_with::<R, _, _>(pinging(), async |exchange: endwell::Exchange| {
        let socket = crate::service::accept(exchange)?;
        R::sleep(INTERVAL * 10).await;
        Err::<endwell::Answered, _>(socket.close(CloseCode::NORMAL).await)
    });
    let mut peer = Peer::connect(&server);
    peer.send(frame(FIN | PING, b"answer"));
    let mut seen = [0; 16];
    loop {
        let frame = peer.frame();
        seen[usize::from(frame.first & 0x0f)] += 1;
        match frame.first & 0x0f {
            PING => peer.send(crate::peer::frame(FIN | PONG, &frame.payload)),
            PONG => {}
            _ => break assert_eq!(frame.code(), 1000),
        }
    }
    assert!(seen[usize::from(PONG)] == 1 && seen[usize::from(PING)] >= 2, "{seen:?}");
}

fn peer_frame(peer: &mut Peer) -> u8 {
    peer.frame().first & 0x0f
}

/// Beyond the bound nothing is read, and when the application comes back everything is there, in order.
fn no_more_than_the_inbox_holds_is_read_ahead<R: Runtime>() {
    const MESSAGES: usize = 3000;
    let mut config = ServerConfig::default();
    config.ws.received_bytes = 1000;
    let (server, next) = handing_over_narrow::<R>(config);
    let mut peer = Peer::connect_narrow(&server);
    let mut socket = next();
    let sent = Arc::new(AtomicUsize::new(0));
    let sending = std::thread::spawn({
        let sent = Arc::clone(&sent);
        move || {
            for index in 0..MESSAGES {
                peer.send(text(&format!("{index} {}", "x".repeat(1000))));
                sent.fetch_add(1, Ordering::Relaxed);
            }
            peer
        }
    });
    // It fills what lies between, and waits: the application is not back yet.
    let mut last = 0;
    while last == 0 || last < sent.load(Ordering::Relaxed) {
        last = sent.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(last < 200, "{last} messages were read ahead, or into small sockets");
    let mut index = 0;
    while let Some(message) = wait(socket.receive()) {
        assert!(message.as_text().unwrap().starts_with(&format!("{index} ")));
        index += 1;
        if index == MESSAGES {
            break;
        }
    }
    let mut peer = sending.join().unwrap();
    let closing = socket.close(CloseCode::NORMAL);
    assert_eq!(peer.assert_closes(), 1000);
    drop(peer);
    wait(closing);
}
