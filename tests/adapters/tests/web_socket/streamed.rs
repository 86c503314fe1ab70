//! Messages in pieces, and a socket that works in another task with both directions busy.

use std::io::Write;
use std::thread;

use endwell::ws::{Close, CloseCode, Kind, PieceError};
use endwell::{Answered, Exchange, ServerConfig};

use crate::aborted::aborted;
use crate::peer::{BINARY, FIN, PING, PONG, Peer, TEXT, close, frame};
use crate::service::{accept, echo};
use crate::support::{Runtime, on_every_runtime, pattern, start, start_narrow};

on_every_runtime!(pieces_with_pings_around_them, messages_of_nothing, both_directions_busy_elsewhere);

/// Much more than the sockets hold, in pieces, while the peer pings: pongs come between messages or pieces, whole.
fn pieces_with_pings_around_them<R: Runtime>() {
    const PIECES: usize = 40;
    let server = start_narrow::<R, _, _>(ServerConfig::default(), async |exchange: Exchange| {
        let mut socket = accept(exchange)?;
        for _ in 0..3 {
            let mut fragments = socket.send_pieces(Kind::Binary);
            for piece in pattern(PIECES * 9000).chunks(9000) {
                fragments.write(piece.to_vec()).await?;
            }
            fragments.finish().await?;
            assert!(socket.receive().await.is_some_and(|ping| !ping.is_data()));
        }
        let mut fragments = socket.send_pieces(Kind::Text);
        fragments.write("gr\u{fc}n").await?;
        let half = fragments.write(vec![0xc3]).await;
        assert!(matches!(half, Err(PieceError::NotText(back)) if back[..] == [0xc3]));
        fragments.write("!").await?;
        fragments.finish().await?;
        echo(&mut socket).await;
        Err::<Answered, _>(socket.close(Close::EMPTY).await)
    });
    let mut peer = Peer::connect_narrow(&server);
    let mut pongs = 0;
    for index in 0..4u8 {
        if index < 3 {
            peer.send(frame(FIN | PING, &[index]));
        }
        let mut message = Vec::new();
        let mut kind = None;
        loop {
            let piece = peer.frame();
            if piece.first == FIN | PONG {
                assert_eq!(piece.payload, [pongs]);
                pongs += 1;
                continue;
            }
            // The first piece says what it is, the others only continue it.
            assert_eq!(piece.first & 0x0f != 0, kind.is_none());
            kind.get_or_insert(piece.first & 0x0f);
            message.extend(piece.payload);
            if piece.first & FIN != 0 {
                break;
            }
        }
        match index {
            3 => assert_eq!((kind, &message[..]), (Some(TEXT), "gr\u{fc}n!".as_bytes())),
            _ => assert!(kind == Some(BINARY) && message == pattern(PIECES * 9000)),
        }
    }
    assert_eq!(pongs, 3);
    peer.send(close(1000));
    assert_eq!(peer.assert_fails(), 1000);
}

/// Messages without a piece wait for room when many are queued, and all of them arrive.
fn messages_of_nothing<R: Runtime>() {
    const MESSAGES: usize = 5000;
    let mut config = ServerConfig::default();
    config.output.bytes = 4096;
    let server = start_narrow::<R, _, _>(config, async |exchange: Exchange| {
        let mut socket = accept(exchange)?;
        for _ in 0..MESSAGES {
            socket.send_pieces(Kind::Binary).finish().await?;
        }
        Err::<Answered, _>(socket.close(Close::from(CloseCode::NORMAL)).await)
    });
    let mut peer = Peer::connect_narrow(&server);
    for _ in 0..MESSAGES {
        let message = peer.frame();
        assert!(message.first == FIN | BINARY && message.payload.is_empty());
    }
    assert_eq!(peer.assert_closes(), 1000);
}

/// The handler returns at once, and its socket echoes in another task: no wake-up is lost.
fn both_directions_busy_elsewhere<R: Runtime>() {
    const MESSAGES: usize = 3000;
    let server = start::<R, _, _>(async |exchange: Exchange| {
        let mut socket = accept(exchange)?;
        R::spawn(async move {
            echo(&mut socket).await;
            let _ = socket.close(Close::EMPTY).await;
        });
        Err::<Answered, _>(aborted())
    });
    let mut peer = Peer::connect(&server);
    let mut socket = peer.client.socket.try_clone().unwrap();
    let sending = thread::spawn(move || {
        for index in 0..MESSAGES {
            socket.write_all(&frame(FIN | BINARY, &pattern(index))).unwrap();
        }
        socket.write_all(&close(1000)).unwrap();
    });
    for index in 0..MESSAGES {
        let message = peer.frame();
        assert!(message.first == FIN | BINARY && message.payload == pattern(index), "message {index}");
    }
    assert_eq!(peer.assert_fails(), 1000);
    sending.join().unwrap();
}
