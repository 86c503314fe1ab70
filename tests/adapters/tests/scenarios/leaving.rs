//! The connection ends when it is over, however long its handler goes on.

use endwell::http::StatusCode;
use endwell::{Ended, Exchange};

use crate::support::{Gate, Runtime, on_every_runtime, start};

on_every_runtime!(the_last_answer_ends_it);

/// The client reads the end of the stream while the handler still works.
fn the_last_answer_ends_it<R: Runtime>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            let answered = exchange.respond(StatusCode::OK, "done");
            gate.pass().await;
            answered
        }
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assert_eq!(client.response().unwrap().body, b"done");
    client.assert_closed();
    gate.open(1);
    assert!(matches!(server.next_end(), Ended::Announced));
}
