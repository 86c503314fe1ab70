//! A body that is read on after the response: whole, cut, or left.

use endwell::http::{Framing, StatusCode};
use endwell::{Ended, Exchange};

use crate::support::{Runtime, on_every_runtime, pattern, start, told};

on_every_runtime!(
    a_body_is_read_to_its_end_after_the_response,
    a_body_that_is_cut_after_the_response_says_so,
    a_body_that_is_left_holds_up_nothing,
);

const LEN: usize = 300_000;

fn head() -> String {
    format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {LEN}\r\n\r\n")
}

fn a_body_is_read_to_its_end_after_the_response<R: Runtime>() {
    let (tell, heard) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (mut request, response) = exchange.start(StatusCode::OK, Framing::Length(0));
            let answered = response.finish()?;
            let mut body = Vec::new();
            while let Some(piece) = request.read().await? {
                body.extend_from_slice(&piece);
            }
            tell.send(body).unwrap();
            assert_eq!(request.read().await?, None);
            Ok::<_, Ended>(answered)
        }
    });
    let mut client = server.connect();
    for _ in 0..2 {
        client.send(head());
        client.send(&pattern(LEN)[..1000]);
        assert_eq!(client.response().unwrap().status, 200);
        client.send(&pattern(LEN)[1000..]);
        assert!(heard.next() == pattern(LEN));
    }
}

fn a_body_that_is_cut_after_the_response_says_so<R: Runtime>() {
    let (tell, heard) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (mut request, response) = exchange.start(StatusCode::OK, Framing::Length(0));
            let answered = response.finish()?;
            let ended = loop {
                match request.read().await {
                    Ok(Some(_)) => {}
                    Ok(None) => break "whole",
                    Err(_) => break "cut",
                }
            };
            tell.send(ended).unwrap();
            Ok::<_, Ended>(answered)
        }
    });
    let mut client = server.connect();
    client.send(head());
    client.send(&pattern(LEN)[..1000]);
    assert_eq!(client.response().unwrap().status, 200);
    client.end_write();
    assert_eq!(heard.next(), "cut");
    // And by an aborted response.
    let (tell, heard) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (mut request, response) = exchange.start(StatusCode::OK, Framing::Chunked);
            let ended = response.abort();
            tell.send(request.read().await.is_err()).unwrap();
            ended
        }
    });
    let mut client = server.connect();
    client.send(head());
    assert!(heard.next());
}

/// Nothing reads it any more, so the next request is served, or the connection closes.
fn a_body_that_is_left_holds_up_nothing<R: Runtime>() {
    let server = start::<R, _, _>(async |exchange: Exchange| {
        let (request, response) = exchange.start(StatusCode::OK, Framing::Length(0));
        let answered = response.finish()?;
        drop(request);
        Ok::<_, Ended>(answered)
    });
    let mut client = server.connect();
    for _ in 0..2 {
        client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n");
        assert_eq!(client.response().unwrap().status, 200);
        client.send(vec![b'x'; 1000]);
    }
}
