//! S30, S31: what a peer can make a socket hold. A peer that takes nothing meets the limit of writing.

use std::io::Write;
use std::thread;
use std::time::Duration;

use endwell::core::{Limit, Pace};
use endwell::ws::Outcome;
use endwell::{Ended, EndedKind, Exchange, ServerConfig};

use crate::aborted::aborted;
use crate::peer::{BINARY, FIN, PING, Peer, TEXT, frame};
use crate::service::{accept, closing_within, echo_to_the_end};
use crate::support::{Runtime, on_every_runtime, start_narrow, start_with, told};

on_every_runtime!(
    fragments_above_the_message_limit,
    fragments_of_nothing,
    a_flood_of_pings_that_nobody_reads,
    a_reader_that_takes_nothing,
);

fn limit(ended: &Ended) -> Limit {
    match ended.kind() {
        EndedKind::WebSocket(Outcome::Exceeded(exceeded)) | EndedKind::Limit(exceeded) => exceeded.limit,
        other => panic!("a limit was expected, not {other:?}"),
    }
}

/// S30: refused at the header of the second.
fn fragments_above_the_message_limit<R: Runtime>() {
    let (tell, told) = told();
    let mut config = ServerConfig::default();
    config.ws.message_bytes = 1000;
    let server = start_with::<R, _, _>(config, move |exchange| echo_to_the_end(exchange, tell.clone()));
    let mut peer = Peer::connect(&server);
    peer.send(frame(BINARY, &[0; 900]));
    peer.send(&frame(0, &[0; 900])[..8]);
    assert_eq!(peer.assert_fails(), 1009);
    drop(peer);
    assert_eq!((limit(&told.next()), limit(&server.next_end())), (Limit::MessageBytes, Limit::MessageBytes));
}

/// S31: the frames of a message are counted, also those that carry nothing.
fn fragments_of_nothing<R: Runtime>() {
    let (tell, told) = told();
    let server = start_with::<R, _, _>(closing_within(Duration::from_millis(200)), move |exchange| {
        echo_to_the_end(exchange, tell.clone())
    });
    let mut peer = Peer::connect(&server);
    peer.send(frame(TEXT, b""));
    let many = frame(0, b"").repeat(10_000);
    for _ in 0..200 {
        // Once it is refused, the rest is thrown away, and in the end nobody takes it.
        if peer.client.socket.write_all(&many).is_err() {
            break;
        }
    }
    assert_eq!(
        (limit(&told.next()), limit(&server.next_end())),
        (Limit::FragmentCount, Limit::FragmentCount)
    );
}

fn impatient() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.output.pace = Pace::silence(Duration::from_millis(200));
    config
}

/// S31: a peer that pings and takes no pong meets the limit of writing, however much it sends until then.
fn a_flood_of_pings_that_nobody_reads<R: Runtime>() {
    let (tell, told) = told();
    let server =
        start_narrow::<R, _, _>(impatient(), move |exchange| echo_to_the_end(exchange, tell.clone()));
    let peer = Peer::connect_narrow(&server);
    let mut socket = peer.client.socket.try_clone().unwrap();
    let pushing = thread::spawn(move || {
        let many = frame(FIN | PING, &[b'p'; 100]).repeat(100);
        // Until the connection is reset: nothing else ends this.
        while socket.write_all(&many).is_ok() {}
    });
    assert_eq!(
        (limit(&told.next()), limit(&server.next_end())),
        (Limit::WriteProgress, Limit::WriteProgress)
    );
    pushing.join().unwrap();
}

/// The same for what the application sends: `send` waits, and then hands the message back with the reason.
fn a_reader_that_takes_nothing<R: Runtime>() {
    for elsewhere in [false, true] {
        let (tell, told) = told();
        let server = start_narrow::<R, _, _>(impatient(), move |exchange: Exchange| {
            let tell = tell.clone();
            async move {
                let mut socket = match accept(exchange) {
                    Ok(socket) => socket,
                    Err(ended) => return ended,
                };
                let work = async move {
                    loop {
                        if let Err(back) = socket.send(vec![b'x'; 10_000]).await {
                            assert_eq!(back.message.len(), 10_000);
                            tell.send(back.ended.unwrap()).unwrap();
                            return aborted();
                        }
                    }
                };
                if elsewhere {
                    R::spawn(async move { drop(work.await) });
                    return aborted();
                }
                work.await
            }
        });
        let peer = Peer::connect_narrow(&server);
        assert_eq!(
            (limit(&told.next()), limit(&server.next_end())),
            (Limit::WriteProgress, Limit::WriteProgress)
        );
        drop(peer);
    }
}
