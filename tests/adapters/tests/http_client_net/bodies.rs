//! Request and response at the same time.

use bytes::Bytes;
use endwell::Exchange;
use endwell::client::{RequestWriter, ResponseReader};
use endwell::http::{Framing, StatusCode};

use crate::dialling::{Dialling, both, dial, head, is_pending, run};
use crate::support::{Running, on_every_runtime, pattern, start, told};

on_every_runtime!(
    an_echo_of_any_size,
    an_echo_in_two_tasks,
    a_server_that_writes_all_before_it_reads,
    the_response_ends_first
);

const LEN: usize = 8 << 20;

/// Answers piece by piece, as the request arrives.
fn echo<R: Dialling>() -> Running {
    start::<R, _, _>(|exchange: Exchange| async move {
        let (mut request, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
        while let Some(piece) = request.read().await? {
            response.write(piece).await?;
        }
        response.finish()
    })
}

async fn write_all(mut body: RequestWriter) {
    for piece in pattern(LEN).chunks(100_000) {
        body.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    body.finish().unwrap();
}

async fn read_all(received: &mut ResponseReader) {
    let body = received.read_all(LEN).await.unwrap();
    assert!(body == pattern(LEN), "{} bytes", body.len());
}

/// Larger than all buffers on the way: two sides that only wrote would wait for ever.
fn an_echo_of_any_size<R: Dialling>() {
    let server = echo::<R>();
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (body, response) = connection.request(&head("POST", "/"), Framing::Length(LEN as u64));
        let ((), received) = both(write_all(body), async {
            let mut received = response.await.unwrap();
            read_all(&mut received).await;
            received
        })
        .await;
        assert!(received.finish().await.is_some());
    });
}

fn an_echo_in_two_tasks<R: Dialling>() {
    let server = echo::<R>();
    let (tell, told) = told();
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (body, response) = connection.request(&head("POST", "/"), Framing::Chunked);
        R::spawn(async move {
            write_all(body).await;
            tell.send(()).unwrap();
        });
        let mut received = response.await.unwrap();
        read_all(&mut received).await;
        let connection = received.finish().await.expect("both are done");
        told.next();
        let received = connection.send(&head("GET", "/"), "").await.unwrap();
        assert_eq!(received.status(), StatusCode::OK);
    });
}

/// And we write all before we read: only a driver that reads while it cannot write goes on.
fn a_server_that_writes_all_before_it_reads<R: Dialling>() {
    let server = crate::server::once(|mut client| {
        client.head();
        client.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {LEN}\r\n\r\n"));
        client.send(vec![b'x'; LEN]);
        assert!(client.read(LEN) == vec![b'y'; LEN]);
    });
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (mut body, response) = connection.request(&head("POST", "/"), Framing::Length(LEN as u64));
        let mut received = response.await.unwrap();
        let ((), all) = both(
            async {
                body.write(vec![b'y'; LEN]).await.unwrap();
                body.finish().unwrap();
            },
            async { received.read_all(LEN).await.unwrap() },
        )
        .await;
        assert!(all == vec![b'x'; LEN]);
        server.done().await;
    });
}

/// The connection comes back when the request is done too, and not before.
fn the_response_ends_first<R: Dialling>() {
    let server = crate::server::once(|mut client| {
        client.head();
        client.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        assert_eq!(client.read(10), b"5\r\nhello\r\n");
        assert_eq!(client.read(5), b"0\r\n\r\n");
        assert!(client.head().starts_with("GET /second "));
        client.send("HTTP/1.1 204 No Content\r\n\r\n");
        client.assert_left();
    });
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (mut body, response) = connection.request(&head("POST", "/"), Framing::Chunked);
        let mut received = response.await.unwrap();
        assert_eq!(received.read_all(2).await.unwrap(), "ok");
        let mut finish = received.finish();
        assert!(is_pending(&mut finish).await);
        body.write("hello").await.unwrap();
        assert!(is_pending(&mut finish).await);
        body.finish().unwrap();
        let connection = finish.await.unwrap();
        let received = connection.send(&head("GET", "/second"), "").await.unwrap();
        assert_eq!(received.status(), StatusCode::NO_CONTENT);
    });
}
