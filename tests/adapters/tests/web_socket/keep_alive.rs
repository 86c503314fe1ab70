//! Pings on the wire while the application waits, and S36: an application that is slow is not the peer's fault.

use std::time::{Duration, Instant};

use endwell::core::Limit;
use endwell::ws::{Close, Kind, Outcome};
use endwell::{Answered, EndedKind, Exchange, ServerConfig};

use crate::aborted::aborted;
use crate::peer::{FIN, Frame, PING, PONG, Peer, close, frame, text};
use crate::service::{accept, echo};
use crate::support::{Runtime, on_every_runtime, start_with, told};

on_every_runtime!(
    pings_while_waiting,
    only_data_is_received_beside_pings_and_pongs,
    a_slow_application_and_then_a_dead_peer,
    a_dead_peer_behind_a_message_that_nobody_takes
);

const INTERVAL: Duration = Duration::from_millis(60);
const PONG_TIME: Duration = Duration::from_millis(150);

fn pinging() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.ws.ping_interval = Some(INTERVAL);
    config.ws.pong_time = PONG_TIME;
    config
}

fn pings_while_waiting<R: Runtime>() {
    let server = start_with::<R, _, _>(pinging(), async |exchange: Exchange| {
        let elsewhere = exchange.path() == "/elsewhere";
        let mut socket = accept(exchange)?;
        let work = async move {
            echo(&mut socket).await;
            socket.close(Close::EMPTY).await
        };
        if elsewhere {
            R::spawn(async move { drop(work.await) });
            return Err(aborted());
        }
        Err::<Answered, _>(work.await)
    });
    for path in ["/", "/elsewhere"] {
        let mut peer = Peer::connect_to(&server, path);
        let began = Instant::now();
        for round in 1..=4 {
            let ping = peer.frame();
            assert_eq!(ping.first, FIN | PING);
            assert!(began.elapsed() >= INTERVAL * round * 8 / 10, "{round}: {:?}", began.elapsed());
            peer.send(frame(FIN | PONG, &ping.payload));
        }
        peer.send(close(1000));
        assert_eq!(peer.assert_fails(), 1000);
        drop(peer);
        let ended = server.next_end();
        assert!(matches!(ended.kind(), EndedKind::WebSocket(Outcome::Closed { .. })), "{ended:?}");
    }
}

/// An echo that asks for data alone goes on, whatever control frames come between, and ends with the peer's Close.
fn only_data_is_received_beside_pings_and_pongs<R: Runtime>() {
    let (tell, told) = told();
    let server = start_with::<R, _, _>(pinging(), move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (mut send, mut receive) = accept(exchange)?.split();
            while let Some(message) = receive.receive_data().await {
                send.send(message).await?;
            }
            tell.send(()).unwrap();
            Err::<Answered, _>(send.close(Close::EMPTY).await)
        }
    });
    let mut peer = Peer::connect(&server);
    for round in 0..3 {
        let ping = peer.frame();
        assert_eq!(ping.first, FIN | PING);
        peer.send(frame(FIN | PONG, &ping.payload));
        peer.send([frame(FIN | PONG, b"unasked"), frame(FIN | PING, b"theirs"), text("data")].concat());
        assert_eq!(peer.frame(), Frame { first: FIN | PONG, payload: b"theirs".to_vec() }, "{round}");
        assert_eq!(peer.frame().as_text(), "data", "{round}");
    }
    peer.send([frame(FIN | PING, b""), close(1000)].concat());
    assert_eq!(peer.frame().first, FIN | PONG);
    assert_eq!(peer.assert_fails(), 1000);
    told.next();
}

/// S36: the pong comes while the application sleeps, three times the limit. Then the peer is dead: one timeout.
fn a_slow_application_and_then_a_dead_peer<R: Runtime>() {
    let (tell, told) = told();
    let server = start_with::<R, _, _>(pinging(), move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let mut socket = accept(exchange)?;
            while let Some(message) = socket.receive().await {
                if message.is_data() {
                    tell.send(()).unwrap();
                    R::sleep(PONG_TIME * 3).await;
                    socket.send("slept").await?;
                }
            }
            Err::<Answered, _>(socket.close(Close::EMPTY).await)
        }
    });
    let mut peer = Peer::connect(&server);
    let ping = peer.frame();
    assert_eq!(ping.first, FIN | PING);
    peer.send(text("work"));
    told.next();
    peer.send(frame(FIN | PONG, &ping.payload));
    // No Close before it, which a timeout would have sent.
    loop {
        let frame = peer.frame();
        if frame.first != FIN | PING {
            assert_eq!(frame.as_text(), "slept");
            break;
        }
        // The pings go on while the application sleeps.
        peer.send(crate::peer::frame(FIN | PONG, &frame.payload));
    }
    // The application waits again, pings, and hears nothing.
    let dead = Instant::now();
    assert_eq!(peer.frame().first, FIN | PING);
    assert_eq!(peer.assert_fails(), 1008);
    assert!(dead.elapsed() >= PONG_TIME * 8 / 10, "{:?}", dead.elapsed());
    drop(peer);
    let ended = server.next_end();
    let EndedKind::WebSocket(Outcome::Exceeded(exceeded)) = ended.kind() else { panic!("{ended:?}") };
    assert_eq!(exceeded.limit, Limit::PongTime);
}

/// The peer is found dead long after the last look at its message, which the application never takes. It is noticed all
/// the same, whether the application does nothing or sends a message in pieces.
fn a_dead_peer_behind_a_message_that_nobody_takes<R: Runtime>() {
    let mut config = pinging();
    config.half_closed = Some(INTERVAL);
    config.handler_grace = INTERVAL;
    config.ws.close_time = INTERVAL;
    // The message has lain for longer than a Close among it would have to wait for its answer.
    config.ws.ping_interval = Some(Duration::from_millis(1200));
    let server = start_with::<R, _, _>(config, async |exchange: Exchange| {
        let within = exchange.path() == "/within";
        let mut socket = accept(exchange)?;
        if within {
            let mut fragments = socket.send_pieces(Kind::Text);
            fragments.write("begun").await?;
            std::future::pending::<()>().await;
        }
        std::future::pending::<()>().await;
        Err::<Answered, _>(socket.close(Close::EMPTY).await)
    });
    let mut peers = ["/", "/within"].map(|path| Peer::connect_to(&server, path));
    for peer in &mut peers {
        peer.send(text("nobody takes it"));
    }
    for _ in &peers {
        let ended = server.next_end();
        let Outcome::Exceeded(exceeded) = (match ended.kind() {
            EndedKind::WebSocket(known) => known,
            other => panic!("{other:?}"),
        }) else {
            panic!("{ended:?}")
        };
        assert_eq!(exceeded.limit, Limit::PongTime);
    }
}
