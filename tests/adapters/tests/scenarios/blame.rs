//! What ended an exchange is told as what it was: each counter counts what its doc says, and nothing else.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use endwell::blocking::{block_on, handler};
use endwell::http::{Framing, Response as Head, StatusCode};
use endwell::{
    Answered, Counters, Ended, EndedKind, Exchange, HandlerEnd, HandlerError, OnExchange, ServerConfig,
};

use crate::support::{Cut, Runtime, on_every_runtime, start_with, told};

on_every_runtime!(
    the_client_leaves_in_mid_body,
    the_client_leaves_in_mid_body_of_an_upload_that_is_answered,
    the_body_is_too_large,
    an_error_is_told_and_answered_with_500,
    an_error_chooses_the_response,
    an_error_in_a_thread_chooses_the_response,
    an_error_within_a_response,
    an_abort,
    a_panic,
    a_dropped_exchange,
    a_handler_whose_time_is_over,
);

type Error = Box<dyn std::error::Error + Send + Sync>;

const GET: &str = "GET /a?b HTTP/1.1\r\nhost: a\r\n\r\n";

/// Unanswered, failed, panicked, cancelled, aborted.
fn counted(counters: &Counters) -> [u64; 5] {
    [counters.unanswered(), counters.failed(), counters.panicked(), counters.cancelled(), counters.aborted()]
}

/// A server whose reports are heard: the path, the status, and the end.
macro_rules! reported {
    ($runtime:ty, $config:expr, $handler:expr) => {{
        let (tell, heard) = told();
        let mut config: ServerConfig = $config;
        let on_exchange: OnExchange = Arc::new(move |report| {
            let head = report.head().unwrap();
            let path = format!("{} {}", head.method(), head.path());
            tell.send((path, report.status(), report.handler_end().unwrap().clone())).unwrap();
        });
        config.on_exchange = Some(on_exchange);
        (start_with::<$runtime, _, _>(config, $handler), heard)
    }};
}

async fn upload(mut exchange: Exchange) -> Result<Answered, Ended> {
    let body = exchange.read_all(15).await?;
    Ok(exchange.respond(StatusCode::OK, body))
}

fn the_client_leaves_in_mid_body<R: Runtime>() {
    let (server, heard) = reported!(R, ServerConfig::default(), upload);
    let mut client = server.connect();
    client.send("POST /up HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n0123");
    client.end_write();
    assert_eq!(client.response().unwrap().status, 400);
    client.assert_closed();
    let ended = server.next_end();
    assert!(matches!(ended.kind(), EndedKind::Protocol(_)), "{ended}");
    let (request, status, end) = heard.next();
    assert_eq!((&*request, status), ("POST /up", Some(400)));
    assert!(matches!(&end, HandlerEnd::Ended(ended) if ended.violation().is_some()), "{end:?}");
    assert_eq!(counted(&server.counters), [0; 5]);
}

/// The response that was cut off is the client's doing too.
fn the_client_leaves_in_mid_body_of_an_upload_that_is_answered<R: Runtime>() {
    let (server, heard) = reported!(R, ServerConfig::default(), async |exchange: Exchange| {
        let (mut request, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
        while let Some(piece) = request.read().await? {
            response.write(piece).await?;
        }
        response.finish()
    });
    let mut client = server.connect();
    client.send("POST /up HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n0123");
    client.end_write();
    assert!(matches!(client.response(), Err(Cut::InBody(_))));
    let ended = server.next_end();
    assert!(matches!(ended.kind(), EndedKind::Protocol(_)), "{ended}");
    assert!(matches!(heard.next(), (_, Some(200), HandlerEnd::Ended(_))));
    assert_eq!(counted(&server.counters), [0; 5]);
}

fn the_body_is_too_large<R: Runtime>() {
    let (server, heard) = reported!(R, ServerConfig::default(), upload);
    let mut client = server.connect();
    client.send("POST /up HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\n01234567890123456789");
    assert_eq!(client.response().unwrap().status, 413);
    let ended = server.next_end();
    assert!(ended.exceeded().is_some(), "{ended}");
    assert!(matches!(heard.next(), (_, Some(413), HandlerEnd::Ended(_))));
    assert_eq!(counted(&server.counters), [0; 5]);
}

/// And the connection goes on.
fn an_error_is_told_and_answered_with_500<R: Runtime>() {
    let (server, heard) = reported!(R, ServerConfig::default(), async |exchange: Exchange| {
        let page = std::fs::read("/no/such/file")?;
        io::Result::Ok(exchange.respond(StatusCode::OK, page))
    });
    let mut client = server.connect();
    for _ in 0..2 {
        client.send(GET);
        let response = client.response().unwrap();
        assert_eq!((response.status, response.announces_close()), (500, false));
        assert_eq!(response.body, b"");
        let (request, status, end) = heard.next();
        assert_eq!((&*request, status), ("GET /a", Some(500)));
        let HandlerEnd::Failed(error) = end else { panic!("{end:?}") };
        assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::NotFound);
    }
    assert_eq!(counted(&server.counters), [0, 2, 0, 0, 0]);
}

/// Also if it is hidden in another one.
async fn choose(exchange: Exchange) -> anyhow::Result<Answered> {
    use anyhow::Context;
    if exchange.path() == "/ok" {
        return Ok(exchange.respond(StatusCode::OK, "ok"));
    }
    let head = Head::new(StatusCode::NOT_FOUND);
    let error = HandlerError::new(head, "no such user").with_body("nobody");
    if exchange.path() == "/context" { Err(error).context("looking for a user") } else { Err(error.into()) }
}

fn chosen(server: &crate::support::Running, next: impl Fn() -> Report) {
    let mut client = server.connect();
    for (path, says) in [("/plain", "no such user"), ("/context", "looking for a user")] {
        client.send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\nGET /ok HTTP/1.1\r\nhost: a\r\n\r\n"));
        let response = client.response().unwrap();
        assert_eq!((response.status, &*response.body), (404, &b"nobody"[..]), "{path}");
        assert_eq!(client.response().unwrap().body, b"ok");
        let (_, status, end) = next();
        let HandlerEnd::Failed(error) = end else { panic!("{end:?}") };
        assert_eq!((status, error.to_string()), (Some(404), says.to_owned()));
        assert!(matches!(next(), (_, Some(200), HandlerEnd::Answered)));
    }
    assert_eq!(counted(&server.counters), [0, 2, 0, 0, 0]);
}

type Report = (String, Option<u16>, HandlerEnd);

fn an_error_chooses_the_response<R: Runtime>() {
    let (server, heard) = reported!(R, ServerConfig::default(), choose);
    chosen(&server, || heard.next());
}

/// The exchange is dropped in the thread before the error is known.
fn an_error_in_a_thread_chooses_the_response<R: Runtime>() {
    let (server, heard) =
        reported!(R, ServerConfig::default(), handler(|exchange| block_on(choose(exchange))));
    chosen(&server, || heard.next());
}

fn an_error_within_a_response<R: Runtime>() {
    let (server, heard) = reported!(R, ServerConfig::default(), async |exchange: Exchange| {
        let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
        response.write("half").await?;
        Err::<Answered, Error>("the source is gone".into())
    });
    let mut client = server.connect();
    client.send(GET);
    assert!(client.response().is_err());
    let ended = server.next_end();
    let EndedKind::Failed(error) = ended.kind() else { panic!("{ended}") };
    assert_eq!(error.to_string(), "the source is gone");
    assert!(matches!(heard.next(), (_, Some(200), HandlerEnd::Failed(_))));
    assert_eq!(counted(&server.counters), [0, 1, 0, 0, 1]);
}

fn an_abort<R: Runtime>() {
    let (server, heard) = reported!(R, ServerConfig::default(), async |exchange: Exchange| {
        let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
        response.write("half").await?;
        Err::<Answered, _>(response.abort())
    });
    let mut client = server.connect();
    client.send(GET);
    assert!(client.response().is_err());
    let ended = server.next_end();
    assert!(matches!(ended.kind(), EndedKind::Aborted), "{ended}");
    assert!(matches!(heard.next(), (_, Some(200), HandlerEnd::Ended(_))));
    assert_eq!(counted(&server.counters), [0, 0, 0, 0, 1]);
}

fn a_panic<R: Runtime>() {
    let (server, heard) = reported!(R, ServerConfig::default(), async |exchange: Exchange| -> Answered {
        let _held = exchange;
        std::panic::resume_unwind(Box::new("as planned"))
    });
    let mut client = server.connect();
    client.send(GET);
    assert_eq!(client.response().unwrap().status, 500);
    let ended = server.next_end();
    assert!(matches!(ended.kind(), EndedKind::Unanswered), "{ended}");
    assert!(matches!(heard.next(), (_, Some(500), HandlerEnd::Panicked)));
    assert_eq!(counted(&server.counters), [1, 0, 1, 0, 0]);
}

fn a_dropped_exchange<R: Runtime>() {
    let (server, heard) = reported!(R, ServerConfig::default(), async |exchange: Exchange| {
        drop(exchange);
        std::future::pending::<Answered>().await
    });
    let mut client = server.connect();
    client.send(GET);
    assert_eq!(client.response().unwrap().status, 500);
    client.assert_closed();
    drop(client);
    let ended = server.next_end();
    assert!(matches!(ended.kind(), EndedKind::Unanswered), "{ended}");
    assert!(matches!(heard.next(), (_, Some(500), HandlerEnd::Cancelled)));
    assert_eq!(counted(&server.counters), [1, 0, 0, 1, 0]);
}

fn a_handler_whose_time_is_over<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.handler_time = Some(Duration::from_millis(10));
    let (server, heard) = reported!(R, config, async |exchange: Exchange| {
        std::future::pending::<()>().await;
        exchange.respond(StatusCode::OK, "")
    });
    let mut client = server.connect();
    client.send(GET);
    assert_eq!(client.response().unwrap().status, 503);
    let ended = server.next_end();
    assert!(matches!(ended.kind(), EndedKind::Unanswered), "{ended}");
    assert!(matches!(heard.next(), (_, Some(503), HandlerEnd::Cancelled)));
    assert_eq!(counted(&server.counters), [0, 0, 0, 1, 0]);
}
