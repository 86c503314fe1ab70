//! Messages of any size, in pieces.

use endwell::ServerConfig;
use endwell::core::Limit;
use endwell::ws::{Close, CloseCode, Control, Kind, Outcome, Socket};

use crate::pair::{Pair, pair};

/// A message of `len` characters of two bytes each, so that many pieces end within one.
async fn send_text(socket: &mut Socket, len: usize) {
    let mut fragments = socket.send_pieces(Kind::Text);
    let text = "\u{e9}".repeat(1000);
    for _ in 0..len / 1000 {
        fragments.write(text.clone()).await.unwrap();
    }
    fragments.finish().await.unwrap();
}

#[tokio::test]
async fn a_message_that_no_bound_would_hold() {
    const SIZE: usize = 200_000;
    let mut config = ServerConfig::default();
    config.ws.message_bytes = 1000;
    let Pair { mut server, mut client, .. } = pair(&config, 301);
    let sending = tokio::spawn(async move {
        send_text(&mut client, SIZE).await;
        client.ping(Control::EMPTY).unwrap();
        send_text(&mut client, 1000).await;
        client.send("small").await.unwrap();
        client.send(vec![7; 900]).await.unwrap();
        send_text(&mut client, 1000).await;
        client
    });
    for size in [SIZE, 1000] {
        let mut message = server.receive_pieces().await.unwrap();
        assert_eq!(message.kind(), Kind::Text);
        let mut seen = 0;
        while let Some(piece) = message.read().await.unwrap() {
            assert!(!piece.is_empty());
            seen += std::str::from_utf8(&piece).unwrap().chars().filter(|char| *char == '\u{e9}').count();
        }
        assert_eq!(seen, size);
        assert_eq!(message.read().await.unwrap(), None);
    }
    // Whole messages and messages in pieces, in turn.
    assert_eq!(server.receive().await.unwrap().as_text(), Some("small"));
    let mut message = server.receive_pieces().await.unwrap();
    assert!(message.read().await.unwrap().is_some());
    // What is left of it is skipped.
    drop(message);
    let mut message = server.receive_pieces().await.unwrap();
    assert_eq!(message.kind(), Kind::Text);
    while message.read().await.unwrap().is_some() {}
    let client = sending.await.unwrap();
    drop(tokio::spawn(client.close(CloseCode::NORMAL)));
    assert!(server.receive_pieces().await.is_none());
    println!("{}", server.close(Close::EMPTY).await);
}

#[tokio::test]
async fn a_message_in_pieces_has_its_own_bound_and_says_so() {
    let mut config = ServerConfig::default();
    config.ws.streamed_bytes = 10_000;
    let Pair { mut server, client, .. } = pair(&config, 301);
    let (mut send, mut recv) = client.split();
    tokio::spawn(async move { while recv.receive().await.is_some() {} });
    let sending = tokio::spawn(async move {
        let mut fragments = send.send_pieces(Kind::Binary);
        while fragments.write(vec![1; 3000]).await.is_ok() {}
        drop(fragments);
        send.close(Close::EMPTY).await
    });
    let mut message = server.receive_pieces().await.unwrap();
    let mut seen = 0;
    let error = loop {
        match message.read().await {
            Ok(piece) => seen += piece.expect("no end").len(),
            Err(ended) => break ended,
        }
    };
    println!("{error}");
    drop(message);
    assert_eq!(seen, 9000);
    let ended = server.close(Close::EMPTY).await;
    let endwell::EndedKind::WebSocket(Outcome::Exceeded(exceeded)) = ended.kind() else { panic!("{ended}") };
    assert_eq!(exceeded.limit, Limit::StreamedBytes);
    println!("{}", sending.await.unwrap());
}

#[tokio::test]
async fn what_was_read_ahead_is_one_piece() {
    let Pair { mut server, mut client, .. } = pair(&ServerConfig::default(), 4096);
    client.send("first").await.unwrap();
    client.send("").await.unwrap();
    client.ping(Control::EMPTY).unwrap();
    // The pong shows that all of it was received, though nobody waits for a message.
    while client.receive().await.is_some_and(|message| message.is_data()) {}
    let mut message = server.receive_pieces().await.unwrap();
    assert_eq!(message.read().await.unwrap().as_deref(), Some(&b"first"[..]));
    assert_eq!(message.read().await.unwrap(), None);
    // The connection's task takes none of it: it would be skipped.
    send_text(&mut client, 1000).await;
    tokio::task::yield_now().await;
    drop(message);
    assert_eq!(server.receive_pieces().await.unwrap().read().await.unwrap(), None);
    let mut message = server.receive_pieces().await.unwrap();
    let mut seen = 0;
    while let Some(piece) = message.read().await.unwrap() {
        seen += piece.len();
    }
    assert_eq!(seen, 2000);
}

/// A message whose frame comes bit by bit, plain and compressed, to a reader in another task than the connection's: that one
/// looks at the socket too when nothing is there, and must not take it for a reader of whole messages.
#[tokio::test]
async fn a_frame_that_comes_slowly_is_received_whole() {
    use tokio::io::AsyncWriteExt;

    // The second: two stored blocks of three bytes, and the empty one without its tail. RFC 7692 7.2.3.3.
    let plain: &[u8] = b"\x82\x06abcdef";
    let compressed: &[u8] = b"\xc2\x11\0\x03\0\xfc\xffabc\0\x03\0\xfc\xffdef\0";
    for (frame, cut) in [(plain, 5), (compressed, 10)] {
        let (mut client, mut raw) = crate::pair::with_raw_server();
        raw.write_all(&frame[..cut]).await.unwrap();
        let mut message = client.receive_pieces().await.unwrap();
        assert_eq!(message.read().await.unwrap().as_deref(), Some(&b"abc"[..]));
        let (rest, ()) = tokio::join!(
            async {
                let mut rest = vec![];
                while let Some(piece) = message.read().await.unwrap() {
                    rest.extend(piece);
                }
                rest
            },
            async {
                // The other tasks run until they wait.
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                raw.write_all(&frame[cut..]).await.unwrap();
                raw.write_all(b"\x81\x04next\x82\x00").await.unwrap();
            }
        );
        assert_eq!(rest, b"def");
        assert_eq!(client.receive().await.unwrap().as_text(), Some("next"));
    }
}
