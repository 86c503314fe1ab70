//! HTTP/1.0, expectations, interim responses and trailers on the wire.

use endwell::http::{Field, FieldSection, Framing, Interim, StatusCode};
use endwell::{Answered, Ended, Exchange};

use crate::support::{Gate, Runtime, on_every_runtime, start};

on_every_runtime!(http_1_0, continues_when_it_reads, hints_come_early, trailers_both_ways);

fn http_1_0<R: Runtime>() {
    let server = start::<R, _, _>(async |mut exchange: Exchange| {
        exchange.interim(&Interim::early_hints());
        exchange.respond(StatusCode::OK, "ok")
    });
    let mut client = server.connect();
    for _ in 0..3 {
        client.send("GET / HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n");
        let response = client.response().unwrap();
        assert_eq!((response.status, response.field("connection").as_deref()), (200, Some("keep-alive")));
    }
    client.send("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n");
    let response = client.response().unwrap();
    assert_eq!((response.status, response.announces_close()), (200, true));
    client.assert_closed();
    assert_eq!((server.counters.exchanges(), server.counters.accepted()), (4, 1));
}

/// 100 is sent when the handler reads, not before; who answers without reading closes.
fn continues_when_it_reads<R: Runtime>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |mut exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            if exchange.path() == "/refuse" {
                return Ok(exchange.respond(StatusCode::FORBIDDEN, "no"));
            }
            gate.pass().await;
            let body = exchange.read_all(100).await?;
            Ok::<Answered, Ended>(exchange.respond(StatusCode::OK, body))
        }
    });
    let expect = "HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
    let mut client = server.connect();
    client.send(format!("POST /read {expect}"));
    client.socket.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
    assert!(client.socket.peek(&mut [0]).is_err(), "nothing before the handler reads");
    client.socket.set_read_timeout(Some(crate::support::LONG)).unwrap();
    gate.open(2);
    assert_eq!(client.response().unwrap().status, 100);
    client.send("body");
    assert_eq!(client.response().unwrap().body, b"body");
    // A body that is there already needs no word.
    client.send(format!("POST /read {expect}body"));
    assert_eq!(client.response().unwrap().body, b"body");
    client.send(format!("POST /refuse {expect}"));
    let response = client.response().unwrap();
    assert_eq!((response.status, response.announces_close()), (403, true));
    client.assert_closed();
}

fn hints_come_early<R: Runtime>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |mut exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            exchange.interim(&Interim::early_hints().with(Field::from_static("link", "</a.css>")));
            gate.pass().await;
            exchange.respond(StatusCode::OK, "late")
        }
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    let hints = client.response().unwrap();
    assert_eq!((hints.status, hints.field("link").as_deref()), (103, Some("</a.css>")));
    gate.open(1);
    assert_eq!(client.response().unwrap().body, b"late");
}

fn trailers_both_ways<R: Runtime>() {
    let server = start::<R, _, _>(async |mut exchange: Exchange| {
        let body = exchange.read_all(100).await?;
        let sum = exchange.trailers().and_then(|fields| fields.get_str("sum").map(str::to_owned));
        assert!(exchange.fields().get("sum").is_none(), "never merged into the head");
        let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
        response.write(body).await?;
        let sum = sum.unwrap_or_default();
        response.finish_with(&FieldSection::new().with(Field::new("sum", sum.as_bytes()).unwrap()))
    });
    let mut client = server.connect();
    for (te, expected) in
        [("te: trailers\r\nconnection: te\r\n", vec![("sum".into(), "3".into())]), ("", vec![])]
    {
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\n{te}transfer-encoding: chunked\r\n\r\n"));
        client.send("3\r\nabc\r\n0\r\nsum: 3\r\n\r\n");
        let response = client.response().unwrap();
        assert_eq!((&response.body[..], response.trailers), (&b"abc"[..], expected));
    }
}
