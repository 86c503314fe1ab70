//! S14: one producer streams, two send by outlets, pings between. Frames of control only between frames, messages never
//! inside one another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use endwell::ws::{CloseCode, Kind};
use endwell::{Answered, Exchange, ServerConfig};

use crate::judge::message;
use crate::peer::{BINARY, CLOSE, FIN, PING, PONG, Peer, TEXT, close, frame};
use crate::service::{accept, spawn};
use crate::support::{Runtime, on_every_runtime, pattern, start_narrow, told};

on_every_runtime!(a_stream_two_outlets_and_pings);

const STREAM: usize = 1 << 20;
const PIECE: usize = 4 << 10;

fn a_stream_two_outlets_and_pings<R: Runtime>() {
    let (tell, told) = told();
    let mut config = ServerConfig::default();
    config.ws.ping_interval = Some(Duration::from_millis(1));
    let server = start_narrow::<R, _, _>(config, move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (mut send, mut recv) = accept(exchange)?.split();
            let streamed = Arc::new(AtomicBool::new(false));
            let producers = [0, 1].map(|producer| {
                let (outlet, streamed) = (send.outlet(), Arc::clone(&streamed));
                spawn::<R, _>(async move {
                    let mut sent = 0;
                    // Some before the stream, some that wait behind it, and some after it.
                    while sent < 100 || !streamed.load(Ordering::Acquire) {
                        outlet.send(message(producer, sent)).await.unwrap();
                        sent += 1;
                    }
                    sent
                })
            });
            let receiving = spawn::<R, _>(async move { while recv.receive().await.is_some() {} });
            let mut fragments = send.send_pieces(Kind::Binary);
            for piece in pattern(STREAM).chunks(PIECE) {
                fragments.write(piece.to_vec()).await?;
            }
            fragments.finish().await?;
            streamed.store(true, Ordering::Release);
            let [one, other] = producers;
            tell.send([one.await, other.await]).unwrap();
            let ended = send.close(CloseCode::NORMAL).await;
            receiving.await;
            Err::<Answered, _>(ended)
        }
    });
    let mut peer = Peer::connect_narrow(&server);
    let (mut next, mut streamed, mut pieces) = ([0; 2], Vec::new(), 0);
    let (mut pings, mut pongs) = (0, 0);
    loop {
        let piece = peer.frame();
        let in_stream = pieces > 0 && streamed.len() < STREAM;
        match piece.first {
            first if first & 0x0f == PING => {
                assert_eq!(first, FIN | PING);
                pings += usize::from(in_stream);
                peer.send(frame(FIN | PONG, &piece.payload));
            }
            first if first == FIN | PONG => {
                assert_eq!(piece.payload, b"in the stream");
                pongs += usize::from(in_stream);
            }
            first if first == FIN | TEXT => {
                let text = piece.as_text();
                let producer = usize::from(text.as_bytes()[0] - b'0');
                assert!(!in_stream, "{text} within the stream");
                assert_eq!(text, message(producer, next[producer]));
                next[producer] += 1;
            }
            first if first == FIN | CLOSE => break assert_eq!(piece.code(), 1000),
            first => {
                // The first piece says what it is, the others continue it, and the last ends it.
                assert_eq!(first & 0x0f, if pieces == 0 { BINARY } else { 0 });
                streamed.extend(piece.payload);
                pieces += 1;
                if pieces % 16 == 0 {
                    peer.send(frame(FIN | PING, b"in the stream"));
                }
                if first & FIN != 0 {
                    assert!(streamed == pattern(STREAM));
                }
            }
        }
    }
    peer.send(close(1000));
    peer.client.assert_closed();
    assert_eq!(next, told.next());
    assert!(
        pieces >= STREAM / PIECE && pings > 0 && pongs > 0,
        "{pieces} pieces, {pings} pings, {pongs} pongs"
    );
    println!(
        "S14 {:<17} 1 MiB in {pieces} frames with {pings} pings and {pongs} pongs between; {next:?} messages around it",
        R::NAME
    );
}
