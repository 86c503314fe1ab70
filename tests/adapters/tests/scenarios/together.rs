//! Features add up: one program serves on every runtime at once.

use endwell::http::StatusCode;
use endwell::{Answered, Exchange};

use crate::support::{AsyncStd, Blocking, CurrentThread, Running, Smol, Tokio, start};

async fn name(exchange: Exchange) -> Answered {
    let name = exchange.path().to_owned();
    exchange.respond(StatusCode::OK, name)
}

#[test]
fn every_runtime_in_one_program() {
    let servers = [
        start::<Tokio, _, _>(name),
        start::<CurrentThread, _, _>(name),
        start::<AsyncStd, _, _>(name),
        start::<Smol, _, _>(name),
        start::<Blocking, _, _>(name),
    ];
    let mut clients: Vec<_> = servers.iter().map(Running::connect).collect();
    for round in 0..100 {
        for (index, client) in clients.iter_mut().enumerate() {
            client.send(format!("GET /{round}/{index} HTTP/1.1\r\nhost: a\r\n\r\n"));
        }
        for (index, client) in clients.iter_mut().enumerate() {
            assert_eq!(client.response().unwrap().body, format!("/{round}/{index}").as_bytes());
        }
    }
    for server in &servers {
        assert_eq!((server.counters.accepted(), server.counters.exchanges()), (1, 100));
    }
}
