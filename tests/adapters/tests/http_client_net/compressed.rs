//! WebSockets that compress, between a client and a server of ours. RFC 7692.

use endwell::ws::{Close, CloseCode, Deflate, Kind, Message, Socket, WindowBits};
use endwell::{ClientConfig, Exchange, ServerConfig};

use crate::aborted::aborted;
use crate::dialling::{Dialling, dial_with, run};
use crate::support::{Running, Runtime, on_every_runtime, start_with};

on_every_runtime!(both_of_ours_agree, each_can_do_without);

fn deflating(deflate: Deflate) -> ClientConfig {
    let mut config = ClientConfig::default();
    config.deflate = Some(deflate);
    config
}

/// Echoes whole messages, and those at `/pieces` in pieces.
fn echo<R: Runtime>(deflate: Option<Deflate>) -> Running {
    let mut config = ServerConfig::default();
    config.deflate = deflate;
    start_with::<R, _, _>(config, async |exchange: Exchange| {
        let in_pieces = exchange.path() == "/pieces";
        let acceptance = exchange.acceptance();
        let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
        if in_pieces {
            let (mut send, mut recv) = socket.split();
            while let Some(mut pieces) = recv.receive_pieces().await {
                let mut fragments = send.send_pieces(pieces.kind());
                while let Some(piece) = pieces.read().await? {
                    fragments.write(piece).await?;
                }
                fragments.finish().await?;
            }
            return Err::<endwell::Answered, _>(send.close(Close::EMPTY).await);
        }
        while let Some(message) = socket.receive().await {
            if message.is_data() {
                socket.send(message).await?;
            }
        }
        Err::<endwell::Answered, _>(socket.close(Close::EMPTY).await)
    })
}

fn lines(len: usize) -> String {
    let mut text = String::new();
    while text.len() < len {
        text.extend([&(text.len() * 7919 % 1013).to_string(), ": the quick brown f\u{f6}x\n"]);
    }
    text
}

fn both_of_ours_agree<R: Dialling>() {
    let mut narrow = Deflate::default();
    (narrow.window, narrow.received_context) = (WindowBits::LEAST, WindowBits::new(10));
    (narrow.sent_context, narrow.least) = (500, 0);
    for (server, client) in [
        (Deflate::default(), Deflate::default()),
        (Deflate::without_context(), Deflate::default()),
        (narrow.clone(), Deflate::without_context()),
        (Deflate::default(), narrow),
    ] {
        let server = echo::<R>(Some(server));
        let config = deflating(client);
        run::<R, _>(async {
            for path in ["whole", "pieces"] {
                let url = format!("ws://{}/{path}", server.address);
                let mut socket = Socket::connect(&R::CONNECTOR, &url, &config).await.unwrap();
                assert!(socket.deflates());
                for len in [0, 1, 100, 1000, 1000, 70_000, 300_000, 1000] {
                    socket.send(lines(len)).await.unwrap();
                    let message = socket.receive().await.unwrap();
                    assert!(message.as_text() == Some(&lines(len)), "{path}, {len}");
                }
                let noise: Vec<u8> =
                    (0..50_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
                socket.send(Message::binary(noise.clone())).await.unwrap();
                assert_eq!(socket.receive().await.unwrap().into_bytes(), noise);
                let mut fragments = socket.send_pieces(Kind::Text);
                for part in 0..10 {
                    fragments.write(lines(part * 500)).await.unwrap();
                }
                fragments.finish().await.unwrap();
                let whole: String = (0..10).map(|part| lines(part * 500)).collect();
                assert!(socket.receive().await.unwrap().as_text() == Some(&whole));
                let ended = socket.close(CloseCode::NORMAL).await;
                assert!(ended.to_string().contains("1000"), "{ended}");
            }
        });
    }
}

fn each_can_do_without<R: Dialling>() {
    let server = echo::<R>(Some(Deflate::default()));
    let without = echo::<R>(None);
    run::<R, _>(async {
        let url = format!("ws://{}/whole", server.address);
        let mut socket = Socket::connect(&R::CONNECTOR, &url, &ClientConfig::default()).await.unwrap();
        assert!(!socket.deflates());
        socket.send(lines(1000)).await.unwrap();
        assert!(socket.receive().await.unwrap().as_text() == Some(&lines(1000)));
        let url = format!("ws://{}/whole", without.address);
        let config = deflating(Deflate::default());
        let mut socket = Socket::connect(&R::CONNECTOR, &url, &config).await.unwrap();
        assert!(!socket.deflates());
        socket.send(lines(1000)).await.unwrap();
        assert!(socket.receive().await.unwrap().as_text() == Some(&lines(1000)));
        // For one connection.
        let connection = dial_with::<R>(server.address, &config).await;
        let offer = connection.offer("a", "/whole").unwrap().deflate(None);
        let switched = connection.upgrade(offer).await.unwrap();
        assert!(!switched.socket.deflates());
    });
}
