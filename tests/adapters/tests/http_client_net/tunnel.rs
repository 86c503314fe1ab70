//! CONNECT on a connection to a proxy that is at hand.

use std::future::poll_fn;
use std::io::IoSlice;

use endwell::client::{NotTunnelled, RequestError, Tunnelled};
use endwell::http::{Connect, FieldSection, StatusCode};
use endwell::{Ended, EndedKind, Exchange, Upgraded};

use crate::aborted::aborted;
use crate::dialling::{Dialling, dial, get, run};
use crate::server::once;
use crate::support::{on_every_runtime, start};

on_every_runtime!(
    bytes_both_ways,
    through_our_own_server,
    a_refusal_with_a_body,
    an_answer_that_is_cut_off,
    a_reset_instead_of_an_answer,
    bytes_that_nobody_asked_for
);

fn connect_to(authority: &str) -> Connect {
    Connect::new(authority).unwrap()
}

async fn write(stream: &mut Upgraded, text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let written = poll_fn(|cx| stream.poll_write(cx, &[IoSlice::new(rest)])).await.unwrap();
        rest = &rest[written..];
    }
}

/// What comes until the end, or until `len` bytes.
async fn read(stream: &mut Upgraded, len: usize) -> String {
    let mut all = Vec::new();
    while all.len() < len {
        let mut buffer = [0; 3];
        match poll_fn(|cx| stream.poll_read(cx, &mut buffer)).await.unwrap() {
            0 => break,
            read => all.extend(&buffer[..read]),
        }
    }
    String::from_utf8(all).unwrap()
}

fn bytes_both_ways<R: Dialling>() {
    let proxy = once(|mut client| {
        assert_eq!(client.head(), "CONNECT b:1 HTTP/1.1\r\nhost: b:1\r\n\r\n");
        client.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\nx: y\r\n\r\nhello");
        assert_eq!(client.read(4), b"ping");
        client.send(" pong");
        assert_eq!(client.until_left(), 3);
    });
    run::<R, _>(async {
        let Tunnelled { mut stream, head } =
            dial::<R>(proxy.address).await.tunnel(&connect_to("b:1")).await.unwrap();
        assert_eq!((head.status(), head.fields().get_str("x")), (StatusCode::OK, Some("y")));
        assert_eq!(read(&mut stream, 5).await, "hello");
        write(&mut stream, "ping").await;
        assert_eq!(read(&mut stream, 5).await, " pong");
        write(&mut stream, "end").await;
        poll_fn(|cx| stream.poll_end_write(cx)).await.unwrap();
        assert_eq!(read(&mut stream, 1).await, "");
    });
}

fn through_our_own_server<R: Dialling>() {
    let server = start::<R, _, _>(|exchange: Exchange| async move {
        let (mut stream, answered) = exchange.tunnel(&FieldSection::new()).map_err(|_| aborted())?;
        R::spawn(async move {
            let text = read(&mut stream, 5).await;
            write(&mut stream, &text).await;
            poll_fn(|cx| stream.poll_end_write(cx)).await.unwrap();
        });
        Ok::<_, Ended>(answered)
    });
    run::<R, _>(async {
        let tunnelled = dial::<R>(server.address).await.tunnel(&connect_to("b:1")).await.unwrap();
        let mut stream = tunnelled.stream;
        write(&mut stream, "hello").await;
        assert_eq!(read(&mut stream, 6).await, "hello");
    });
}

fn a_refusal_with_a_body<R: Dialling>() {
    let proxy = once(|mut client| {
        client.head();
        client.send(
            "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=x\r\n\
             content-length: 4\r\n\r\nwho?",
        );
        assert!(client.head().starts_with("GET /"));
        client.send("HTTP/1.1 204 No Content\r\n\r\n");
        client.assert_left();
    });
    run::<R, _>(async {
        let not = dial::<R>(proxy.address).await.tunnel(&connect_to("b:1")).await.unwrap_err();
        let text = "the proxy refused a tunnel, with 407 Proxy Authentication Required";
        assert_eq!(not.to_string(), text);
        let NotTunnelled::Refused(mut received) = not else { panic!() };
        assert_eq!(received.fields().get_str("proxy-authenticate"), Some("Basic realm=x"));
        assert_eq!(received.read_all(4).await.unwrap(), "who?");
        let connection = received.finish().await.unwrap();
        assert_eq!(connection.send(&get("/"), "").await.unwrap().status().as_u16(), 204);
    });
}

fn an_answer_that_is_cut_off<R: Dialling>() {
    for (answer, is_answered) in [("", false), ("HTTP/1.1 200 OK\r\n", true)] {
        let proxy = once(move |mut client| {
            client.head();
            client.send(answer);
        });
        run::<R, _>(async {
            let not = dial::<R>(proxy.address).await.tunnel(&connect_to("b:1")).await.unwrap_err();
            match &not {
                NotTunnelled::Failed(RequestError::Unanswered(ended)) => {
                    assert!(!is_answered && matches!(ended.kind(), EndedKind::ByPeer));
                }
                NotTunnelled::Failed(RequestError::Failed(ended)) => {
                    assert!(is_answered && matches!(ended.kind(), EndedKind::Protocol(_)));
                }
                NotTunnelled::Failed(_) | NotTunnelled::Refused(_) | _ => panic!("{not:?}"),
            }
        });
    }
}

/// As little as the end of the stream does it say whether the proxy has seen the request.
fn a_reset_instead_of_an_answer<R: Dialling>() {
    let proxy = once(|mut client| {
        client.head();
        client.reset();
    });
    run::<R, _>(async {
        let not = dial::<R>(proxy.address).await.tunnel(&connect_to("b:1")).await.unwrap_err();
        let NotTunnelled::Failed(RequestError::Unanswered(ended)) = not else { panic!("{not:?}") };
        assert!(matches!(ended.kind(), EndedKind::Transport(_)), "{ended}");
    });
}

/// A tunnel is not made of what came before it was asked for.
fn bytes_that_nobody_asked_for<R: Dialling>() {
    let proxy = once(|mut client| {
        client.send("HTTP/1.1 200 OK\r\n\r\n");
        client.until_left();
    });
    run::<R, _>(async {
        let mut connection = dial::<R>(proxy.address).await;
        connection.closed().await;
        let not = connection.tunnel(&connect_to("b:1")).await.unwrap_err();
        assert!(matches!(not, NotTunnelled::Failed(RequestError::NotSent(_))), "{not}");
    });
}
