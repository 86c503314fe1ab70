//! WebSockets over TLS.

use endwell::ws::{self, Close, CloseCode, Content, End, Outcome};
use endwell::{ClientConfig, Ended, EndedKind, Exchange};

use crate::dialling::{Dialling, run};
use crate::peer::Peer;
use crate::secure::{Secure, connector};
use crate::support::{Running, Runtime, on_every_runtime, start, told};

on_every_runtime!(an_echo_and_our_close, two_tasks, the_same_origin);

/// Echoes until nothing more comes, and tells how it ended.
fn echo<R: Runtime>() -> (Running, impl Fn() -> Ended) {
    let (tell, told) = told();
    let server = start::<Secure<R>, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let acceptance = exchange.acceptance();
            let mut socket = match exchange.accept(acceptance) {
                Ok(socket) => socket,
                Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), reason.to_string())),
            };
            while let Some(message) = socket.receive().await {
                if message.is_data() {
                    socket.send(message).await?;
                }
            }
            let ended = socket.close(Close::EMPTY).await;
            tell.send(ended.clone()).unwrap();
            Err(ended)
        }
    });
    (server, move || told.next())
}

fn url(server: &Running) -> String {
    format!("wss://localhost:{}/chat", server.address.port())
}

fn codes(ended: &Ended) -> (End, Option<u16>, Option<u16>) {
    let EndedKind::WebSocket(Outcome::Closed { first, sent, received }) = ended.kind() else {
        panic!("{ended:?}")
    };
    (*first, sent.code().map(CloseCode::number), received.code().map(CloseCode::number))
}

fn an_echo_and_our_close<R: Dialling>() {
    let (server, next_end) = echo::<R>();
    run::<R, _>(async {
        let mut socket =
            ws::Socket::connect(&connector::<R>(), &url(&server), &ClientConfig::default()).await.unwrap();
        for len in [0, 1, 125, 126, 16_384, 70_000, 1 << 20] {
            let text = "x".repeat(len);
            socket.send(text.clone()).await.unwrap();
            let message = socket.receive().await.unwrap();
            assert!(matches!(message.content(), Content::Text(got) if got == text), "{len}");
        }
        let ended = socket.close(CloseCode::new(4001).unwrap()).await;
        assert_eq!(codes(&ended), (End::Ours, Some(4001), Some(4001)));
    });
    assert_eq!(codes(&next_end()), (End::Theirs, Some(4001), Some(4001)));
}

/// One task receives and another sends, as fast as they can: no wake-up is lost between reading and writing.
fn two_tasks<R: Dialling>() {
    const MESSAGES: usize = 3000;
    let (server, next_end) = echo::<R>();
    run::<R, _>(async {
        let socket =
            ws::Socket::connect(&connector::<R>(), &url(&server), &ClientConfig::default()).await.unwrap();
        let (mut send, mut recv) = socket.split();
        let (tell, told) = tokio::sync::oneshot::channel();
        R::spawn(async move {
            for number in 0..MESSAGES {
                send.send(format!("{number} {}", "y".repeat(number % 700))).await.unwrap();
            }
            let _ = tell.send(send);
        });
        for number in 0..MESSAGES {
            let message = recv.receive().await.unwrap();
            let text = format!("{number} {}", "y".repeat(number % 700));
            assert!(matches!(message.content(), Content::Text(got) if got == text), "{number}");
        }
        let ended = told.await.unwrap().close(Close::EMPTY).await;
        assert_eq!(codes(&ended), (End::Ours, None, None));
    });
    assert_eq!(codes(&next_end()), (End::Theirs, None, None));
}

/// Pages of the site itself, by https, and of no other.
fn the_same_origin<R: Dialling>() {
    let (server, _) = echo::<R>();
    let site = format!("localhost:{}", server.address.port());
    for (page, status) in [(format!("https://{site}"), 101), ("https://other.example".into(), 403)] {
        let mut client = Peer::client(server.address);
        client.shake_hands().unwrap();
        client.send(format!(
            "GET / HTTP/1.1\r\nhost: {site}\r\norigin: {page}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ));
        let answer = String::from_utf8(client.read().unwrap()).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{page}: {answer}");
    }
}
