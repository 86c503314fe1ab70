//! S7: the payload of a Close, its answer, and who closes TCP when.

use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use endwell::core::ws::{self as core_ws, Masks, Role};
use endwell::ws::{CloseCode, Content, End, Jitter, Outcome, Socket, SocketLimits};
use endwell::{Bytes, Ended, EndedKind, Listener, ServerConfig};

use crate::peer::{CLOSE, FIN, PING, Peer, frame, text};
use crate::service::{closing_within, echo_to_the_end};
use crate::support::{LONG, Runtime, on_every_runtime, start_with, told};

on_every_runtime!(
    payloads_and_codes,
    reasons,
    behind_our_close_nothing_is_written,
    a_client_waits_for_the_end_of_the_stream,
);

/// Longer than anything here may wait: the peer never ends the stream, so the server's end must not need that.
const CLOSE_TIME: Duration = Duration::from_secs(60);

/// What a server makes of a Close.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// A Close with the same code, or with none.
    Same,
    /// A failure, with this code.
    Fails(u16),
}

/// Sends a Close with `payload`, and frames behind it in the same segment. The answer, and nothing behind it but the end
/// of the stream: the server is first to end it.
fn answer_to<R: Runtime>(payloads: impl IntoIterator<Item = (Vec<u8>, Answer)>) {
    let (tell, _told) = told();
    let server = start_with::<R, _, _>(closing_within(CLOSE_TIME), move |exchange| {
        echo_to_the_end(exchange, tell.clone())
    });
    for (payload, expected) in payloads {
        let mut peer = Peer::connect(&server);
        let behind = [frame(FIN | PING, b"late"), text("late"), frame(FIN | CLOSE, b"\x03\xe9")].concat();
        peer.send([frame(FIN | CLOSE, &payload), behind].concat());
        let answer = peer.frame();
        assert_eq!(answer.first, FIN | CLOSE, "{payload:?}");
        // The peer has not ended its side: the server does not wait for that, and it does not reset.
        peer.client.assert_closed();
        drop(peer);
        let ended = server.next_end();
        match expected {
            Answer::Same => {
                let code = payload.get(..2).unwrap_or_default();
                assert_eq!(answer.payload, code, "{payload:?}");
                let EndedKind::WebSocket(Outcome::Closed { first: End::Theirs, received, sent }) =
                    ended.kind()
                else {
                    panic!("{payload:?}: {ended:?}")
                };
                assert_eq!((received.code(), sent.reason()), (sent.code(), ""), "{payload:?}");
                let reason = payload.get(2..).unwrap_or_default();
                assert_eq!(received.reason().as_bytes(), reason, "{payload:?}");
            }
            Answer::Fails(code) => {
                assert_eq!(answer.code(), code, "{payload:?}");
                assert!(
                    matches!(ended.kind(), EndedKind::WebSocket(Outcome::Violated(_))),
                    "{payload:?}: {ended:?}"
                );
            }
        }
    }
}

/// 0, 1, 2, 125 and 126 bytes; every code at a border of what is valid on the wire.
fn payloads_and_codes<R: Runtime>() {
    let longest = [&1001_u16.to_be_bytes()[..], "é".repeat(61).as_bytes(), b"x"].concat();
    assert_eq!(longest.len(), 125);
    let payloads = [
        (vec![], Answer::Same),
        (vec![3], Answer::Fails(1002)),
        (longest.clone(), Answer::Same),
        ([&longest[..], b"x"].concat(), Answer::Fails(1002)),
    ];
    let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1013, 1014, 3000, 3999, 4000, 4999];
    let invalid = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 0xffff];
    let two = |code: u16| code.to_be_bytes().to_vec();
    answer_to::<R>(
        payloads
            .into_iter()
            .chain(valid.map(|code| (two(code), Answer::Same)))
            .chain(invalid.map(|code| (two(code), Answer::Fails(1002)))),
    );
}

/// A reason is text: not cut within a character, and no surrogate, nor anything overlong.
fn reasons<R: Runtime>() {
    let with = |reason: &[u8]| [b"\x03\xe8", reason].concat();
    answer_to::<R>([
        (with("grüße".as_bytes()), Answer::Same),
        (with(b"\xff"), Answer::Fails(1007)),
        (with(b"gr\xc3"), Answer::Fails(1007)),
        (with(b"\xed\xa0\x80"), Answer::Fails(1007)),
        (with(b"\xc0\xaf"), Answer::Fails(1007)),
    ]);
}

/// We close first. What the peer still sends is thrown away; with its Close the server ends the stream.
fn behind_our_close_nothing_is_written<R: Runtime>() {
    let server = start_with::<R, _, _>(closing_within(CLOSE_TIME), async |exchange| {
        match crate::service::accept(exchange) {
            Ok(socket) => socket.close(CloseCode::NORMAL).await,
            Err(ended) => ended,
        }
    });
    for answer in [b"".to_vec(), b"\x03\xe8".to_vec(), b"\x0f\xa0bye".to_vec()] {
        let mut peer = Peer::connect(&server);
        assert_eq!(peer.frame().code(), 1000);
        peer.send([text("late"), frame(FIN | PING, b"late")].concat());
        peer.send(frame(FIN | CLOSE, &answer));
        peer.client.assert_closed();
        drop(peer);
        let ended = server.next_end();
        let EndedKind::WebSocket(Outcome::Closed { first: End::Ours, received, .. }) = ended.kind() else {
            panic!("{ended:?}")
        };
        assert_eq!(received.reason(), if answer.len() > 2 { "bye" } else { "" });
    }
}

/// Our client over a transport of the runtime's; the server is a plain socket.
fn client_on<R: Runtime>(config: ServerConfig) -> (TcpStream, thread::JoinHandle<(Option<u16>, Ended)>) {
    let listening = TcpListener::bind("127.0.0.1:0").unwrap();
    listening.set_nonblocking(true).unwrap();
    let stream = TcpStream::connect(listening.local_addr().unwrap()).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let client = thread::spawn(move || {
        R::run(async move {
            let listener = R::listen(listening);
            let (transport, _) = listener.accept().await.unwrap();
            let role = Role::Client(Masks::new(|| [1, 2, 3, 4]));
            let limits = std::sync::Arc::new(SocketLimits::clone(&config.ws));
            let (output, jitter) = (config.output, Jitter::default());
            let web_socket = core_ws::Socket::from_parts(role, Bytes::new(), limits, output, jitter, None);
            let (mut socket, driver) =
                Socket::over(transport, listener.runtime(), web_socket, &(&config).into());
            R::spawn(async { drop(driver.await) });
            let message = socket.receive().await.expect("a Close");
            let Content::Close(close) = message.content() else { panic!("{message:?}") };
            let code = close.code().map(CloseCode::number);
            (code, socket.close(CloseCode::NORMAL).await)
        })
    });
    (stream, client)
}

/// RFC 6455 7.1.1: the client answers, and leaves the end of the stream to the server, within the close limit.
fn a_client_waits_for_the_end_of_the_stream<R: Runtime>() {
    use std::io::Write;

    const LIMIT: Duration = Duration::from_millis(200);
    for ends in [true, false] {
        let (mut stream, client) = client_on::<R>(closing_within(if ends { CLOSE_TIME } else { LIMIT }));
        stream.write_all(b"\x88\x02\x0f\xa1").unwrap();
        let mut answer = [0; 8];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [0x88, 0x82, 1, 2, 3, 4, 0x0f ^ 1, 0xa1 ^ 2]);
        let began = Instant::now();
        if ends {
            // Nothing more comes, not even the end, before the server's end does.
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            let error = stream.read(&mut [0]).expect_err("the client waits");
            assert!(matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
            stream.set_read_timeout(Some(LONG)).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        }
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        if !ends {
            assert!(began.elapsed() >= LIMIT * 8 / 10, "{:?}", began.elapsed());
        }
        let (code, ended) = client.join().unwrap();
        assert_eq!(code, Some(4001));
        let EndedKind::WebSocket(Outcome::Closed { first: End::Theirs, sent, .. }) = ended.kind() else {
            panic!("{ended:?}")
        };
        assert_eq!(sent.code().map(CloseCode::number), Some(4001));
    }
}
