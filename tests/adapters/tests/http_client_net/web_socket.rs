//! WebSockets that a client opens.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::time::Duration;

use endwell::client::{NotUpgraded, Switched};
use endwell::http::StatusCode;
use endwell::ws::{Close, CloseCode, ConnectError, Content, End, Outcome, Socket};
use endwell::{ClientConfig, Ended, EndedKind, Exchange};

use crate::aborted::aborted;
use crate::dialling::{Dialling, dial, dial_with, get, run};
use crate::server::{Accepted, once};
use crate::support::{Running, Runtime, on_every_runtime, start, told};

on_every_runtime!(
    an_echo_and_our_close,
    an_application_that_its_driver_runs,
    between_two_runs_nothing_is_lost,
    a_refusal_is_read_though_the_driver_was_not_handed_out,
    the_server_closes,
    the_ends_are_told_apart,
    a_refusal_with_a_body,
    a_wrong_answer,
    frames_right_behind_the_answer,
    urls,
    keys_do_not_repeat
);

const ANY: &str = "chat.v1";

/// Accepts, echoes until nothing more comes, and tells how it ended. `close` is answered with a Close of its own.
fn echo<R: Runtime>() -> (Running, impl Fn() -> Ended) {
    let (tell, told) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            if exchange.path() == "/refused" {
                return Ok(exchange.respond(StatusCode::FORBIDDEN, "not you"));
            }
            let acceptance = exchange.acceptance();
            let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
            while let Some(message) = socket.receive().await {
                if let Content::Text("close") = message.content() {
                    let ended = socket.close(CloseCode::new(4000).unwrap()).await;
                    tell.send(ended.clone()).unwrap();
                    return Err(ended);
                }
                if message.is_data() {
                    socket.send(message).await.unwrap();
                }
            }
            let ended = socket.close(Close::EMPTY).await;
            tell.send(ended.clone()).unwrap();
            Err(ended)
        }
    });
    (server, move || told.next())
}

async fn open<R: Dialling>(server: &Running) -> Socket {
    Socket::connect(&R::CONNECTOR, &format!("ws://{}/chat", server.address), &ClientConfig::default())
        .await
        .unwrap()
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
        let mut socket = open::<R>(&server).await;
        for len in [0, 1, 125, 126, 70_000, 1 << 20] {
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

fn an_application_that_its_driver_runs<R: Dialling>() {
    let (server, next_end) = echo::<R>();
    run::<R, _>(async {
        let url = format!("ws://{}/chat", server.address);
        let (mut socket, mut driver) =
            Socket::dial(&R::CONNECTOR, &url, &ClientConfig::default()).await.unwrap();
        let application = async move {
            for len in [0, 126, 70_000, 1 << 20] {
                let text = "x".repeat(len);
                socket.send(text.clone()).await.unwrap();
                let message = socket.receive().await.unwrap();
                assert!(matches!(message.content(), Content::Text(got) if got == text), "{len}");
            }
            socket.send("close").await.unwrap();
            while socket.receive().await.is_some() {}
            // It goes on after the connection has ended.
            R::sleep(Duration::from_millis(1)).await;
            socket.close(Close::EMPTY).await
        };
        let ended = driver.run(application).await;
        assert_eq!(codes(&ended), (End::Theirs, Some(4000), Some(4000)));
        assert_eq!(codes(&driver.await), codes(&ended));
    });
    assert_eq!(codes(&next_end()), (End::Ours, Some(4000), Some(4000)));
}

fn between_two_runs_nothing_is_lost<R: Dialling>() {
    let (server, next_end) = echo::<R>();
    run::<R, _>(async {
        let url = format!("ws://{}/chat", server.address);
        let (mut socket, mut driver) =
            Socket::dial(&R::CONNECTOR, &url, &ClientConfig::default()).await.unwrap();
        for round in 0..20 {
            // What is queued is written although the application ends with that.
            driver.run(async { socket.send(round.to_string()).await.unwrap() }).await;
            let message = driver.run(socket.receive()).await.unwrap();
            assert!(matches!(message.content(), Content::Text(text) if *text == *round.to_string()));
        }
        // The Close is queued.
        drop(socket.close(CloseCode::NORMAL));
        assert_eq!(codes(&driver.await).0, End::Ours);
    });
    assert_eq!(codes(&next_end()).0, End::Theirs);
}

fn a_refusal_is_read_though_the_driver_was_not_handed_out<R: Dialling>() {
    let (server, _) = echo::<R>();
    run::<R, _>(async {
        let url = format!("ws://{}/refused", server.address);
        let refused = Socket::dial(&R::CONNECTOR, &url, &ClientConfig::default()).await.unwrap_err();
        let ConnectError::Refused(mut response) = refused else { panic!("{refused:?}") };
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.read_all(100).await.unwrap(), "not you");
    });
}

fn the_server_closes<R: Dialling>() {
    let (server, next_end) = echo::<R>();
    run::<R, _>(async {
        let mut socket = open::<R>(&server).await;
        socket.send("close").await.unwrap();
        let message = socket.receive().await.unwrap();
        assert!(matches!(message.content(), Content::Close(close) if close.code().unwrap().number() == 4000));
        assert!(socket.receive().await.is_none());
        assert_eq!(codes(&socket.close(Close::EMPTY).await), (End::Theirs, Some(4000), Some(4000)));
    });
    assert_eq!(codes(&next_end()), (End::Ours, Some(4000), Some(4000)));
}

/// Reads the handshake and answers it.
pub(crate) fn shake_hands(client: &mut Accepted) -> String {
    let head = client.head();
    let key = field(&head, "sec-websocket-key").to_owned();
    let digest = accept_of(&key);
    client.send(format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-accept: {digest}\r\n\r\n"
    ));
    head
}

fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.expect("the field")
}

/// What answers a key: our own server's computation, which has tests of its own.
pub(crate) fn accept_of(key: &str) -> String {
    use endwell::core::http::server::{Next, ServerConnection};
    use endwell::core::ws::{Acceptance, SocketLimits};
    use endwell::core::{Instant, Look, OutboxLimits};

    let mut server =
        ServerConnection::new(endwell::http::HttpLimits::default().into(), OutboxLimits::default());
    let request = format!(
        "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n"
    );
    let look = |room: &mut [u8]| {
        room[..request.len()].copy_from_slice(request.as_bytes());
        Ok::<_, ()>(Look::Bytes(request.len()))
    };
    let _ = server.io().read(Instant::default(), look).unwrap();
    let Next::Request(_, exchange) = server.poll() else { panic!("{request}") };
    let mut socket = exchange.accept(Acceptance::new(SocketLimits::default().into()), None).ok().unwrap();
    let mut answer = Vec::new();
    let put = |chunks: &mut dyn Iterator<Item = &[u8]>| {
        answer.extend(chunks.flatten());
        Ok::<_, ()>(Some(answer.len()))
    };
    let _ = socket.io().write(Instant::default(), put).unwrap();
    field(std::str::from_utf8(&answer).unwrap(), "sec-websocket-accept").to_owned()
}

/// S9, from the other end.
fn the_ends_are_told_apart<R: Dialling>() {
    type Case = (fn(Accepted), fn(&Ended) -> bool);
    let cases: [Case; 4] = [
        (|_| {}, |ended| matches!(ended.kind(), EndedKind::WebSocket(Outcome::EndOfStream))),
        (Accepted::reset, |ended| matches!(ended.kind(), EndedKind::Transport(_))),
        (
            |mut client| {
                // A server masks nothing.
                client.send([0x81, 0x81, 1, 2, 3, 4, 5]);
                client.until_left();
            },
            |ended| matches!(ended.kind(), EndedKind::WebSocket(Outcome::Violated(_))),
        ),
        (
            |mut client| {
                // It never answers our Close, and never closes.
                client.until_left();
            },
            |ended| matches!(ended.kind(), EndedKind::WebSocket(Outcome::Exceeded(_))),
        ),
    ];
    let mut config = ClientConfig::default();
    config.ws.close_time = Duration::from_millis(100);
    for (index, (act, is)) in cases.into_iter().enumerate() {
        let server = once(move |mut client| {
            shake_hands(&mut client);
            act(client);
        });
        run::<R, _>(async {
            let url = format!("ws://{}/", server.address);
            let mut socket = Socket::connect(&R::CONNECTOR, &url, &config).await.unwrap();
            if index < 3 {
                assert!(socket.receive().await.is_none());
            }
            let ended = socket.close(Close::EMPTY).await;
            assert!(is(&ended), "{index}: {ended:?}");
        });
    }
}

/// The connection still speaks HTTP, and is used again.
fn a_refusal_with_a_body<R: Dialling>() {
    let (server, next_end) = echo::<R>();
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let offer = connection.offer("a", "/refused").unwrap();
        let Err(NotUpgraded::Refused(mut received)) = connection.upgrade(offer).await else { panic!() };
        assert_eq!(received.status(), StatusCode::FORBIDDEN);
        assert_eq!(received.read_all(100).await.unwrap(), "not you");
        let connection = received.finish().await.expect("the connection, to be used again");
        let received = connection.send(&get("/refused"), "").await.unwrap();
        let connection = received.finish().await.unwrap();
        let offer = connection.offer("a", "/chat").unwrap();
        let Switched { mut socket, head } = connection.upgrade(offer).await.unwrap();
        assert_eq!((head.status(), socket.subprotocol()), (101, None));
        socket.send("hello").await.unwrap();
        assert!(matches!(socket.receive().await.unwrap().content(), Content::Text("hello")));
        socket.close(Close::EMPTY).await;
    });
    next_end();
    assert_eq!(server.counters.accepted(), 1);
}

fn a_wrong_answer<R: Dialling>() {
    let server = once(|mut client| {
        let head = client.head();
        assert_eq!(field(&head, "sec-websocket-protocol"), ANY);
        client.send(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
             sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        );
        client.assert_left();
    });
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let offer = connection.offer("a", "/").unwrap().subprotocol(ANY).unwrap();
        let Err(NotUpgraded::Failed(failure)) = connection.upgrade(offer).await else { panic!() };
        assert!(matches!(failure.ended().kind(), EndedKind::Protocol(_)), "{failure}");
        server.done().await;
    });
}

fn frames_right_behind_the_answer<R: Dialling>() {
    let server = once(|mut client| {
        let head = client.head();
        let digest = accept_of(field(&head, "sec-websocket-key"));
        client.send(
            [
                format!(
                    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
                     sec-websocket-accept: {digest}\r\n\r\n"
                )
                .as_bytes(),
                b"\x81\x05hello\x88\x00",
            ]
            .concat(),
        );
        // Our Close, masked.
        assert_eq!(client.read(6)[..2], [0x88, 0x80]);
        drop(client);
    });
    run::<R, _>(async {
        let url = format!("ws://{}/", server.address);
        let mut socket = Socket::connect(&R::CONNECTOR, &url, &ClientConfig::default()).await.unwrap();
        assert!(matches!(socket.receive().await.unwrap().content(), Content::Text("hello")));
        assert!(matches!(socket.receive().await.unwrap().content(), Content::Close(_)));
        assert_eq!(codes(&socket.close(Close::EMPTY).await), (End::Theirs, None, None));
    });
}

fn urls<R: Dialling>() {
    let (server, _) = echo::<R>();
    run::<R, _>(async {
        for url in ["http://127.0.0.1/", "https://127.0.0.1/", "ws://a@127.0.0.1/", "127.0.0.1"] {
            let error = Socket::connect(&R::CONNECTOR, url, &ClientConfig::default()).await.unwrap_err();
            assert!(matches!(error, ConnectError::Url(_)), "{url}: {error}");
        }
        // As browsers have it: a fragment is dropped, since it may not be sent.
        let url = format!("ws://{}/chat#a", server.address);
        drop(Socket::connect(&R::CONNECTOR, &url, &ClientConfig::default()).await.unwrap());
        // A connector that knows no TLS sends nothing in the clear that was meant to be secret.
        let url = format!("wss://{}/", server.address);
        let error = Socket::connect(&R::CONNECTOR, &url, &ClientConfig::default()).await.unwrap_err();
        assert!(matches!(&error, ConnectError::Io(io) if io.kind() == ErrorKind::Unsupported), "{error}");
        let url = format!("ws://{}/refused", server.address);
        let error = Socket::connect(&R::CONNECTOR, &url, &ClientConfig::default()).await.unwrap_err();
        let ConnectError::Refused(mut received) = error else { panic!("{error}") };
        assert_eq!(received.read_all(100).await.unwrap(), "not you");
    });
}

/// As a server sees them: each handshake has a key of its own, and each frame a mask of its own.
fn keys_do_not_repeat<R: Dialling>() {
    const SOCKETS: usize = 4;
    let (tell, told) = told();
    let (mut keys, mut masks) = (HashSet::new(), HashSet::new());
    for _ in 0..SOCKETS {
        let tell = tell.clone();
        let server = once(move |client| tell.send(keys_of(client)).unwrap());
        run::<R, _>(async {
            let connection = dial_with::<R>(server.address, &ClientConfig::default()).await;
            let offer = connection.offer("a", "/").unwrap();
            let Switched { mut socket, .. } = connection.upgrade(offer).await.unwrap();
            for _ in 0..FRAMES {
                socket.send(vec![0]).await.unwrap();
            }
            socket.flush().await.unwrap();
            let (key, seen) = told.next();
            keys.insert(key);
            masks.extend(seen);
        });
    }
    assert_eq!(keys.len(), SOCKETS);
    // Of 400 draws from 2^32, two are the same once in 50,000 runs; never three pairs.
    assert!(masks.len() > SOCKETS * FRAMES - 3, "{} masks", masks.len());
}

const FRAMES: usize = 100;

/// The key of a handshake, and the masks of the frames behind it.
fn keys_of(mut client: Accepted) -> (String, Vec<[u8; 4]>) {
    let head = shake_hands(&mut client);
    let masks = (0..FRAMES).map(|_| {
        let frame = client.read(2 + 4 + 1);
        assert_eq!(frame[..2], [0x82, 0x81]);
        frame[2..6].try_into().unwrap()
    });
    let masks = masks.collect();
    (field(&head, "sec-websocket-key").to_owned(), masks)
}
