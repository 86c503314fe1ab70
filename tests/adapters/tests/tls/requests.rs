//! Requests and responses over TLS, our client and our server.

use bytes::Bytes;
use endwell::client::{Connection, Origin};
use endwell::http::{Framing, StatusCode};
use endwell::{Answered, ClientConfig, Ended, EndedKind, Exchange, ServerConfig};

use crate::dialling::{Dialling, get, head, run};
use crate::secure::{Secure, connector, dial};
use crate::support::{Running, Runtime, on_every_runtime, pattern, start, start_narrow};

on_every_runtime!(
    bodies_of_many_sizes,
    bodies_through_narrow_sockets,
    a_hundred_requests_over_one_connection,
    by_address,
    without_tls
);

/// Gives the body back while it arrives.
async fn echo(exchange: Exchange) -> Result<Answered, Ended> {
    let length = exchange.fields().get_str("content-length").and_then(|length| length.parse().ok());
    let framing = length.map_or(Framing::Chunked, Framing::Length);
    let (mut request, mut response) = exchange.start(StatusCode::OK, framing);
    while let Some(piece) = request.read().await? {
        response.write(piece).await?;
    }
    response.finish()
}

async fn echoed<R: Dialling>(server: &Running, len: usize, framing: Framing) {
    let body = pattern(len);
    let (mut sent, response) = dial::<R>(server.address).await.request(&head("POST", "/"), framing);
    let sending = async {
        for piece in body.chunks(70_000) {
            sent.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        sent.finish().unwrap();
    };
    let receiving = async {
        let mut received = response.await.unwrap();
        assert!(received.read_all(len).await.unwrap() == body, "{len} bytes");
    };
    crate::dialling::both(sending, receiving).await;
}

/// Around the size of a record, and beyond what is held at once.
fn bodies_of_many_sizes<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(echo);
    run::<R, _>(async {
        for len in [0, 1, 16_383, 16_384, 16_385, 100_000, 1 << 20] {
            echoed::<R>(&server, len, Framing::Length(len as u64)).await;
            echoed::<R>(&server, len, Framing::Chunked).await;
        }
    });
    assert_eq!(server.counters.exchanges(), 14);
}

/// Records go out in many parts.
fn bodies_through_narrow_sockets<R: Dialling>() {
    let server = start_narrow::<Secure<R>, _, _>(ServerConfig::default(), echo);
    run::<R, _>(async {
        for framing in [Framing::Length(300_000), Framing::Chunked] {
            echoed::<R>(&server, 300_000, framing).await;
        }
    });
}

fn a_hundred_requests_over_one_connection<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(echo);
    run::<R, _>(async {
        let mut connection = dial::<R>(server.address).await;
        for number in 0..100 {
            let body = format!("number {number}");
            let mut received = connection.send(&head("POST", "/"), body.clone()).await.unwrap();
            assert_eq!(received.read_all(100).await.unwrap(), body);
            connection = received.finish().await.expect("the connection, to be used again");
        }
    });
    assert_eq!((server.counters.accepted(), server.counters.exchanges()), (1, 100));
    assert!(matches!(server.next_end().kind(), EndedKind::ByPeer), "the client that leaves says so");
}

/// A certificate may be for an address.
fn by_address<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(echo);
    run::<R, _>(async {
        let origin = Origin::https("127.0.0.1", server.address.port());
        let connection =
            Connection::connect(&connector::<R>(), &origin, &ClientConfig::default()).await.unwrap();
        let received = connection.send(&get("/"), "").await.unwrap();
        assert_eq!(received.status(), StatusCode::OK);
    });
}

/// The same connector, asked for an origin without TLS.
fn without_tls<R: Dialling>() {
    let server = start::<R, _, _>(echo);
    run::<R, _>(async {
        let origin = Origin::http("localhost", server.address.port());
        let connection =
            Connection::connect(&connector::<R>(), &origin, &ClientConfig::default()).await.unwrap();
        let mut received = connection.send(&head("POST", "/"), "clear").await.unwrap();
        assert_eq!(received.read_all(5).await.unwrap(), "clear");
    });
    assert_eq!(R::NAME, <Secure<R> as Runtime>::NAME);
}
