//! Every exchange is reported, exactly once and when it has ended: also those that no handler saw.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use endwell::http::{Framing, StatusCode, Version};
use endwell::{
    Answered, Ended, EndedKind, Exchange, HandlerEnd, Limit, OnGone, Pace, RequestId, ServerConfig, serve,
};

use crate::support::{Client, Gate, LONG, Runtime, on_every_runtime, start_narrow, start_with, told};

mod said;
mod upgraded;

use said::Reports;

on_every_runtime!(
    ordinary_exchanges,
    requests_that_are_refused,
    a_head_and_a_body_that_are_late,
    handlers_that_do_not_answer,
    a_client_that_leaves_a_handler_at_work,
    a_client_that_takes_a_part,
    responses_that_wait_for_each_other,
    exchanges_that_a_shutdown_cuts_off,
    handlers_that_outlive_their_connection,
    state_of_each_connection,
);

async fn handle(mut exchange: Exchange) -> Result<Answered, Ended> {
    match exchange.path() {
        "/id" => {
            let id = exchange.id().to_string();
            Ok(exchange.respond(StatusCode::OK, id))
        }
        "/read" => {
            let body = exchange.read_all(100).await?;
            Ok(exchange.respond(StatusCode::OK, body))
        }
        "/stream" => {
            let (_, mut body) = exchange.start(StatusCode::OK, Framing::Chunked);
            body.write("hello").await?;
            body.finish()
        }
        _ => Ok(exchange.respond(StatusCode::OK, "hello")),
    }
}

fn ordinary_exchanges<R: Runtime>() {
    let (config, reports) = Reports::of(ServerConfig::default());
    let server = start_with::<R, _, _>(config, handle);
    let mut client = server.connect();
    let mut number = 0;
    for (request, received, sent) in [
        ("GET /id?a=\"b HTTP/1.1\r\nhost: a\r\n\r\n", 0, None),
        ("POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc", 3, Some(3)),
        (
            "POST /read HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            3,
            Some(3),
        ),
        ("POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc", 3, Some(5)),
        ("GET /stream HTTP/1.1\r\nhost: a\r\n\r\n", 0, Some("5\r\nhello\r\n0\r\n\r\n".len() as u64)),
        ("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n", 0, Some(0)),
        // A success would open a tunnel.
        ("CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", 0, Some(0)),
    ] {
        let (method, _) = request.split_once(' ').unwrap();
        client.send(request);
        let response = client.response_to(method).unwrap();
        let said = reports.next();
        number += 1;
        assert_eq!(said.line, request.split_once("\r\n").unwrap().0.replace('"', "\\\""));
        assert_eq!((said.status, said.id.exchange()), (Some(response.status), number));
        assert_eq!(said.bytes, (received, sent.unwrap_or(response.body.len() as u64)), "{said:?}");
        assert!(said.is_whole && !said.is_upgraded && said.cause.is_none(), "{said:?}");
        assert!(matches!(said.end, Some(HandlerEnd::Answered)), "{said:?}");
        if request.contains("/id") {
            assert_eq!(response.body, said.id.to_string().into_bytes());
        }
    }
    let mut other = server.connect();
    other.send("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(other.response().unwrap().body, b"hello");
    let said = reports.next();
    assert_eq!((&*said.line, said.id.exchange()), ("GET / HTTP/1.0", 1));
    drop((client, other));
    reports.assert_over(server);
}

fn requests_that_are_refused<R: Runtime>() {
    let (config, reports) = Reports::of(ServerConfig::default());
    let server = start_with::<R, _, _>(config, handle);
    let long = "a".repeat(40_000);
    for (request, status, line) in [
        ("nonsense\r\n\r\n".to_owned(), 400, "-"),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n".into(), 400, "GET / HTTP/1.1"),
        ("GET /no-host HTTP/1.1\r\n\r\n".into(), 400, "GET /no-host HTTP/1.1"),
        ("HEAD / HTTP/1.1\r\nno colon\r\n\r\n".into(), 400, "HEAD / HTTP/1.1"),
        (format!("GET /{long} HTTP/1.1\r\n"), 414, "-"),
        (format!("GET /long HTTP/1.1\r\na: {long}\r\n"), 431, "GET /long HTTP/1.1"),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000000\r\n\r\n".into(),
            413,
            "POST / HTTP/1.1",
        ),
        ("GET / HTTP/1.1\r\nhost: a\r\nexpect: more\r\n\r\n".into(), 417, "GET / HTTP/1.1"),
        (format!("{} / HTTP/1.1\r\n\r\n", "a".repeat(40)), 501, "-"),
        ("GET / HTTP/2.0\r\n\r\n".into(), 505, "-"),
    ] {
        let mut client = server.connect();
        client.send(request);
        let response = client.response_to(line.split(' ').next().unwrap()).unwrap();
        assert_eq!(response.status, status, "{line}");
        reports.next().assert_refused(line, status, response.body.len());
    }
    // The first exchange was another one.
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    assert_eq!((client.response().unwrap().status, client.response().unwrap().status), (200, 400));
    let ids = [reports.next().id, reports.next().id];
    assert_eq!(ids.map(RequestId::exchange), [1, 2]);
    assert_eq!(ids[0].connection(), ids[1].connection());
    drop(client);
    reports.assert_over(server);
}

fn a_head_and_a_body_that_are_late<R: Runtime>() {
    let mut config = ServerConfig::default();
    config.http.head_time = Duration::from_millis(30);
    config.http.request_pace = Pace::silence(Duration::from_millis(30));
    let (config, reports) = Reports::of(config);
    let server = start_with::<R, _, _>(config, handle);
    let mut client = server.connect();
    client.send("GET /late HTTP/1.1\r\nhost");
    let response = client.response().unwrap();
    assert_eq!(response.status, 408);
    let said = reports.next();
    said.assert_refused("GET /late HTTP/1.1", 408, response.body.len());
    said.assert_limit(Limit::HeadTime);
    drop(client);
    let mut client = server.connect();
    client.send("POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc");
    assert_eq!(client.response().unwrap().status, 408);
    let said = reports.next();
    assert_eq!((said.status, said.bytes, said.is_whole), (Some(408), (3, 0), true), "{said:?}");
    said.assert_limit(Limit::BodyProgress);
    assert!(matches!(said.end, Some(HandlerEnd::Ended(_))), "{said:?}");
    drop(client);
    reports.assert_over(server);
}

/// Responses that the library makes have a cause.
fn handlers_that_do_not_answer<R: Runtime>() {
    let (config, reports) = Reports::of(ServerConfig::default().handler_time(Duration::from_millis(30)));
    let server = start_with::<R, _, _>(config, async |exchange: Exchange| match exchange.path() {
        "/drops" => {
            drop(exchange);
            std::future::pending().await
        }
        "/waits" => {
            std::future::pending::<()>().await;
            Ok(exchange.respond(StatusCode::OK, ""))
        }
        "/panics" => {
            let _held = exchange;
            std::panic::resume_unwind(Box::new("as planned"))
        }
        "/cut-off" => {
            let (_, mut body) = exchange.start(StatusCode::OK, Framing::Length(100));
            body.write("hello").await?;
            body.flush().await?;
            Err(std::io::Error::other("as planned"))
        }
        _ => Err(std::io::Error::other("as planned")),
    });
    let ask = |path: &str| {
        let mut client = server.connect();
        client.send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"));
        client
    };
    for (path, status) in [("/drops", 500), ("/waits", 503), ("/panics", 500), ("/fails", 500)] {
        let mut client = ask(path);
        assert_eq!(client.response().unwrap().status, status);
        let said = reports.next();
        assert_eq!((said.status, said.is_whole), (Some(status), true), "{said:?}");
        match (path, said.end.unwrap(), said.cause) {
            ("/drops" | "/waits", HandlerEnd::Cancelled, Some(cause))
            | ("/panics", HandlerEnd::Panicked, Some(cause)) => {
                assert!(matches!(cause.kind(), EndedKind::Unanswered), "{path}: {cause}");
            }
            ("/fails", HandlerEnd::Failed(_), None) => {}
            (_, end, cause) => panic!("{path}: {end:?} {cause:?}"),
        }
    }
    assert!(ask("/cut-off").response().is_err());
    let said = reports.next();
    assert_eq!((said.status, said.bytes, said.is_whole), (Some(200), (0, 5), false), "{said:?}");
    assert!(matches!(said.cause.as_ref().unwrap().kind(), EndedKind::Failed(_)), "{said:?}");
    assert!(matches!(said.end, Some(HandlerEnd::Failed(_))), "{said:?}");
    reports.assert_over(server);
}

fn a_client_that_leaves_a_handler_at_work<R: Runtime>() {
    let (tell, heard) = told();
    let (config, reports) = Reports::of(ServerConfig::default());
    let server = start_with::<R, _, _>(config, move |mut exchange: Exchange| {
        let tell = tell.clone();
        async move {
            exchange.read().await?;
            tell.send(()).unwrap();
            exchange.gone().await;
            std::future::pending::<()>().await;
            Ok::<_, Ended>(exchange.respond(StatusCode::OK, ""))
        }
    });
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc");
    heard.next();
    client.reset();
    let said = reports.next();
    assert_eq!((said.status, said.bytes, said.is_whole), (None, (3, 0), false), "{said:?}");
    assert!(matches!(said.cause.as_ref().unwrap().kind(), EndedKind::Transport(_)), "{said:?}");
    assert!(matches!(said.end, Some(HandlerEnd::Cancelled)), "{said:?}");
    reports.assert_over(server);
}

/// The handler has answered long before.
fn a_client_that_takes_a_part<R: Runtime>() {
    const LEN: usize = 64 << 20;
    let mut config = ServerConfig::default();
    config.output.pace = Pace::silence(Duration::from_millis(300));
    let (config, reports) = Reports::of(config);
    let server = start_narrow::<R, _, _>(config, async |exchange: Exchange| {
        exchange.respond(StatusCode::OK, vec![b'x'; LEN])
    });
    for resets in [true, false] {
        let mut client = Client::connect_narrow(server.address);
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        client.read_exactly(100_000);
        let client = if resets {
            client.reset();
            None
        } else {
            Some(client)
        };
        let said = reports.next();
        assert_eq!((said.status, said.is_whole), (Some(200), false), "{said:?}");
        assert!(said.bytes.1 > 90_000 && said.bytes.1 < LEN as u64, "{said:?}");
        assert!(matches!(said.end, Some(HandlerEnd::Answered)), "{said:?}");
        if resets {
            assert!(matches!(said.cause.as_ref().unwrap().kind(), EndedKind::Transport(_)), "{said:?}");
        } else {
            said.assert_limit(Limit::WriteProgress);
        }
        drop(client);
    }
    reports.assert_over(server);
}

fn responses_that_wait_for_each_other<R: Runtime>() {
    let (config, reports) = Reports::of(ServerConfig::default());
    let server = start_with::<R, _, _>(config, handle);
    let mut client = server.connect();
    let many = 50;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(many));
    for number in 1..=many as u64 {
        assert_eq!(client.response().unwrap().status, 200);
        let said = reports.next();
        assert_eq!((said.id.exchange(), said.bytes, said.is_whole), (number, (0, 5), true), "{said:?}");
    }
    drop(client);
    reports.assert_over(server);
}

fn exchanges_that_a_shutdown_cuts_off<R: Runtime>() {
    let (tell, heard) = told();
    let (config, reports) = Reports::of(ServerConfig::default().shutdown_time(Duration::from_millis(30)));
    let mut server = start_with::<R, _, _>(config, move |exchange: Exchange| {
        tell.send(()).unwrap();
        async {
            let (_, mut body) = exchange.start(StatusCode::OK, Framing::Chunked);
            body.write("hello").await?;
            body.flush().await?;
            std::future::pending::<()>().await;
            body.finish()
        }
    });
    let mut client = server.connect();
    client.send("GET /endless HTTP/1.1\r\nhost: a\r\n\r\n");
    heard.next();
    server.stop();
    server.wait();
    let said = reports.next();
    assert_eq!((said.status, said.is_whole), (Some(200), false), "{said:?}");
    assert!(matches!(said.cause.as_ref().unwrap().kind(), EndedKind::Shutdown), "{said:?}");
    assert!(matches!(said.end, Some(HandlerEnd::Cancelled)), "{said:?}");
    reports.assert_over(server);
}

/// The report waits for the handler; the time is that of the exchange.
fn handlers_that_outlive_their_connection<R: Runtime>() {
    let (gate, (tell, heard)) = (Gate::new(), told());
    let (config, reports) = Reports::of(ServerConfig::default().on_gone(OnGone::Finish));
    let through = gate.clone();
    let server = start_with::<R, _, _>(config, move |exchange: Exchange| {
        let (through, tell) = (through.clone(), tell.clone());
        async move {
            tell.send(()).unwrap();
            exchange.gone().await;
            tell.send(()).unwrap();
            through.pass().await;
            exchange.respond(StatusCode::OK, "too late")
        }
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    heard.next();
    client.reset();
    heard.next();
    assert!(reports.0.try_recv().is_err());
    gate.open(1);
    let said = reports.next();
    assert_eq!((said.status, said.bytes, said.is_whole), (None, (0, 0), false), "{said:?}");
    assert!(matches!(said.end, Some(HandlerEnd::Answered)), "{said:?}");
    reports.assert_over(server);
}

/// It is made once, for connections that are admitted, and seen by all that is told of the connection.
fn state_of_each_connection<R: Runtime>() {
    #[derive(Default)]
    struct Count(AtomicU64);

    fn add(count: Option<&Count>) -> u64 {
        count.unwrap().0.fetch_add(1, Ordering::Relaxed) + 1
    }

    let begun = Arc::new(AtomicU64::new(0));
    let ((tell, heard), begins) = (told(), Arc::clone(&begun));
    let admits = Arc::new(AtomicBool::new(true));
    let is_open = Arc::clone(&admits);
    let config = ServerConfig::default()
        .admit(move |_, _| is_open.load(Ordering::Relaxed))
        .on_begin(move |info| {
            begins.fetch_add(1, Ordering::Relaxed);
            info.insert(Count::default());
        })
        .on_exchange(move |report| tell.send(add(report.info())).unwrap());
    let server = start_with::<R, _, _>(config, async |exchange: Exchange| {
        let count = add(exchange.info());
        exchange.respond(StatusCode::OK, count.to_string())
    });
    for round in 1..=2 {
        let mut client = server.connect();
        for count in [1, 3] {
            client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
            assert_eq!(client.response().unwrap().body, count.to_string().into_bytes());
            assert_eq!(heard.next(), count + 1);
        }
        admits.store(false, Ordering::Relaxed);
        let mut refused = server.connect();
        assert!(refused.response().is_err());
        admits.store(true, Ordering::Relaxed);
        drop((client, refused));
        server.next_end();
        assert_eq!(begun.load(Ordering::Relaxed), round);
    }
}

/// Whatever ends: the task of a connection, or the runtime with all of them.
#[test]
fn a_runtime_that_is_dropped() {
    let (config, reports) = Reports::of(ServerConfig::default());
    let (ends, ended) = mpsc::channel();
    let config = config.on_end(move |_, ended| ends.send(ended.clone()).unwrap());
    let (tell, heard) = told();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(serve(listener, config, move |exchange: Exchange| {
        tell.send(()).unwrap();
        async {
            std::future::pending::<()>().await;
            exchange.respond(StatusCode::OK, "")
        }
    }));
    let mut client = Client::connect(address);
    client.send("GET /endless HTTP/1.1\r\nhost: a\r\n\r\n");
    heard.next();
    runtime.shutdown_timeout(LONG);
    let said = reports.next();
    assert_eq!((said.status, said.is_whole, &*said.line), (None, false, "GET /endless HTTP/1.1"));
    assert!(matches!(said.end, Some(HandlerEnd::Cancelled)), "{said:?}");
    assert!(matches!(said.cause.unwrap().kind(), EndedKind::Cancelled));
    assert!(matches!(ended.recv().unwrap().kind(), EndedKind::Cancelled));
    assert!(ended.recv().is_err() && reports.0.recv().is_err());
}

/// What the report has of a request is there for every request that has a line.
#[test]
fn a_version_reads_as_on_the_wire() {
    assert_eq!(
        [Version::Http10, Version::Http11].map(|version| version.to_string()),
        ["HTTP/1.0", "HTTP/1.1"]
    );
}
