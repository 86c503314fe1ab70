//! S34: no client takes a response whose producer failed for a whole one.

use std::io::ErrorKind;
use std::time::Duration;

use endwell::core::Pace;
use endwell::http::{Framing, StatusCode};
use endwell::{Answered, Ended, EndedKind, Exchange, ServerConfig, WriteError};

use crate::support::{Client, Cut, Gate, Runtime, on_every_runtime, pattern, start, start_with};

on_every_runtime!(
    producer_fails,
    too_little_and_too_much,
    reader_stalls_until_close,
    last_bytes_stall_until_close,
    cut_by_the_shutdown_until_close,
);

/// The pieces that a failing producer wrote before it failed.
const PIECES: [usize; 4] = [0, 1, 5000, 200_000];

/// `/length/n` or `/chunked/n`: writes n bytes and fails.
async fn produce(exchange: Exchange) -> Result<Answered, Ended> {
    let path = exchange.path().to_owned();
    let (framing, count) = path.trim_start_matches('/').split_once('/').unwrap();
    let framing = if framing == "length" { Framing::Length(300_000) } else { Framing::Chunked };
    let (_, mut response) = exchange.start(StatusCode::OK, framing);
    response.write(pattern(count.parse().unwrap())).await?;
    Err(response.abort())
}

fn producer_fails<R: Runtime>() {
    let server = start::<R, _, _>(produce);
    for count in PIECES {
        for (framing, version) in [("length", "1.1"), ("length", "1.0"), ("chunked", "1.1")] {
            let mut client = server.connect();
            client.send(format!("GET /{framing}/{count} HTTP/{version}\r\nhost: a\r\n\r\n"));
            match client.response() {
                Err(Cut::InBody(response)) => assert_eq!(response.body, pattern(count)),
                other => panic!("{framing}, HTTP/{version}: expected a cut body, got {other:?}"),
            }
        }
        let mut client = server.connect();
        client.send(format!("GET /chunked/{count} HTTP/1.0\r\n\r\n"));
        assert_reset(&mut client);
    }
    assert_eq!(server.counters.aborted(), 16);
}

fn assert_reset(client: &mut Client) {
    match client.response() {
        Err(Cut::Reset(ErrorKind::ConnectionReset)) => {}
        other => panic!("expected a reset, got {other:?}"),
    }
}

/// What goes past the announced length comes back; what falls short of it is a cut.
fn too_little_and_too_much<R: Runtime>() {
    let server = start::<R, _, _>(async |exchange: Exchange| {
        let short = exchange.path() == "/short";
        let (_, mut response) = exchange.start(StatusCode::OK, Framing::Length(4));
        response.write("012").await?;
        match response.write("3456").await {
            Err(WriteError::Overrun(data)) => assert_eq!(data, "3456"),
            other => panic!("expected the data back, got {other:?}"),
        }
        if !short {
            response.write("3").await?;
        }
        response.finish()
    });
    let mut client = server.connect();
    client.send("GET /all HTTP/1.1\r\nhost: a\r\n\r\nGET /short HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().body, b"0123");
    match client.response() {
        Err(Cut::InBody(response)) => assert_eq!(response.body, b"012"),
        other => panic!("expected a cut body, got {other:?}"),
    }
}

/// Bounds under which a reader that takes nothing is soon cut off.
fn impatient() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.output.pace = Pace::silence(Duration::from_millis(200));
    config
}

/// The write limit ends a response that only the close would end: it must not look ended.
fn reader_stalls_until_close<R: Runtime>() {
    let server = start_with::<R, _, _>(impatient(), async |exchange: Exchange| {
        let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
        while response.write(vec![b'x'; 1 << 16]).await.is_ok() {}
        response.finish()
    });
    let mut client = Client::connect_narrow(server.address);
    client.send("GET / HTTP/1.0\r\n\r\n");
    assert!(matches!(server.next_end().kind(), EndedKind::Limit(_)));
    assert_reset(&mut client);
}

/// The same when the handler is done and only the last bytes wait.
fn last_bytes_stall_until_close<R: Runtime>() {
    let mut config = impatient();
    config.output.bytes = 32 << 20;
    config.output.high_water = 32 << 20;
    let server = start_with::<R, _, _>(config, async |exchange: Exchange| {
        let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
        response.write(vec![b'x'; 16 << 20]).await?;
        response.finish()
    });
    let mut client = Client::connect_narrow(server.address);
    client.send("GET / HTTP/1.0\r\n\r\n");
    server.next_end();
    assert_reset(&mut client);
}

/// A shutdown that waits no longer.
fn cut_by_the_shutdown_until_close<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.shutdown_time = Duration::from_millis(50);
    let gate = Gate::new();
    let waiting = gate.clone();
    let mut server = start_with::<R, _, _>(config, move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            response.write("half").await?;
            gate.pass().await;
            response.finish()
        }
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.0\r\n\r\n");
    let head = client.read_exactly(17);
    assert_eq!(head, b"HTTP/1.1 200 OK\r\n");
    server.stop();
    server.wait();
    let mut rest = Vec::new();
    let end = loop {
        let mut buffer = [0; 1000];
        match std::io::Read::read(&mut client.socket, &mut buffer) {
            Ok(0) => break None,
            Ok(len) => rest.extend_from_slice(&buffer[..len]),
            Err(error) => break Some(error.kind()),
        }
    };
    assert_eq!(end, Some(ErrorKind::ConnectionReset), "after {}", rest.escape_ascii());
}
