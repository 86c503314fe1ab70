//! A span for each connection and each exchange, and an event at the end of each.

use std::io;
use std::sync::{Mutex, MutexGuard, Once};

use endwell::blocking::handler;
use endwell::http::StatusCode;
use endwell::{Answered, Exchange, ServerConfig};
use tracing_subscriber::filter::LevelFilter;

use crate::support::{Runtime, on_every_runtime, start_with, told};

on_every_runtime!(an_exchange_and_its_connection, requests_without_a_handler);

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Lets all that is traced be written down.
pub(crate) fn subscribe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let writer = || Writer(LOG.lock().unwrap());
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::DEBUG)
            .with_ansi(false)
            .without_time()
            .with_writer(writer)
            .init();
    });
}

struct Writer(MutexGuard<'static, Vec<u8>>);

impl io::Write for Writer {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All that is written down.
pub(crate) fn log() -> String {
    String::from_utf8(LOG.lock().unwrap().clone()).unwrap()
}

/// The lines about one connection.
fn lines(connection: u64) -> Vec<String> {
    let log = log();
    let span = format!(" connection{{connection={connection} ");
    log.lines().filter(|line| line.contains(&span)).map(str::to_owned).collect()
}

async fn handle<R: Runtime>(exchange: Exchange) -> Result<Answered, io::Error> {
    R::sleep(std::time::Duration::from_millis(1)).await;
    tracing::info!("at work");
    match exchange.path() {
        "/fails" => Err(io::Error::other("as planned")),
        _ => Ok(exchange.respond(StatusCode::OK, "hello")),
    }
}

fn an_exchange_and_its_connection<R: Runtime>() {
    subscribe();
    let (tell, heard) = told();
    let config = ServerConfig::default().on_exchange(move |report| tell.send(report.id()).unwrap());
    let server = start_with::<R, _, _>(config, handle::<R>);
    let mut client = server.connect();
    let peer = client.socket.local_addr().unwrap();
    client.send("POST /a?b=c HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
    assert_eq!(client.response().unwrap().status, 200);
    let connection = heard.next().connection();
    client.send("GET /fails HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().status, 500);
    heard.next();
    drop(client);
    server.next_end();
    let lines = lines(connection);
    let [work, ended, more_work, failed, closed] = &lines[..] else { panic!("{lines:#?}") };
    let on = format!(
        "connection{{connection={connection} network.transport=\"tcp\" network.peer.address=127.0.0.1 network.peer.port={}}}:",
        peer.port()
    );
    let first = format!(
        "{on}exchange{{request={connection}-1 http.request.method=\"POST\" url.scheme=\"http\" url.path=\"/a\" \
         url.query=\"b=c\" network.protocol.version=\"1.1\""
    );
    assert_eq!(*work, format!(" INFO {first}}}: telemetry::traced: at work"));
    let recorded = "http.response.status_code=200 http.request.body.size=3 http.response.body.size=5";
    assert!(
        ended.starts_with(&format!(" INFO {first} {recorded}}}: endwell: exchange ended elapsed=")),
        "{ended}"
    );
    assert!(!ended.contains("cause=") && !ended.contains("error="), "{ended}");
    assert!(more_work.contains(&format!("exchange{{request={connection}-2 ")), "{more_work}");
    assert!(
        failed.starts_with("ERROR connection{") && failed.contains(" error.type=\"handler\"}"),
        "{failed}"
    );
    assert!(failed.ends_with(" error=as planned"), "{failed}");
    assert_eq!(*closed, format!("DEBUG {on} endwell: connection ended cause=closed by the peer"));
}

fn requests_without_a_handler<R: Runtime>() {
    subscribe();
    let (tell, heard) = told();
    let config = ServerConfig::default().on_exchange(move |report| tell.send(report.id()).unwrap());
    let server = start_with::<R, _, _>(config, handle::<R>);
    for (request, described) in [
        ("GET /none HTTP/1.1\r\n\r\n", "http.request.method=\"GET\" url.scheme=\"http\" url.path=\"/none\""),
        ("nonsense\r\n\r\n", "url.scheme=\"http\""),
    ] {
        let mut client = server.connect();
        client.send(request);
        assert_eq!(client.response().unwrap().status, 400);
        let id = heard.next();
        let lines = lines(id.connection());
        let [line] = &lines[..] else { panic!("{lines:#?}") };
        assert!(line.contains(&format!(":exchange{{request={id} {described} ")), "{line}");
        assert!(line.contains(" http.response.status_code=400 "), "{line}");
        assert!(line.contains(" error.type=\"protocol\"}: endwell: exchange ended elapsed="), "{line}");
        assert!(line.contains(" cause=the peer broke the protocol: expected "), "{line}");
    }
}

/// In a thread of its own.
#[test]
fn a_handler_that_blocks() {
    subscribe();
    let (tell, heard) = told();
    let config = ServerConfig::default().on_exchange(move |report| tell.send(report.id()).unwrap());
    let server = start_with::<crate::support::CurrentThread, _, _>(
        config,
        handler(|exchange| {
            tracing::info!("at work");
            exchange.respond(StatusCode::OK, "")
        }),
    );
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().status, 200);
    let id = heard.next();
    let lines = lines(id.connection());
    assert!(
        lines[0].contains(&format!(":exchange{{request={id} ")) && lines[0].ends_with(": at work"),
        "{lines:#?}"
    );
}

/// What a handler does as it is dropped belongs to its exchange too.
#[test]
fn a_handler_that_is_dropped() {
    struct Tells;

    impl Drop for Tells {
        fn drop(&mut self) {
            tracing::info!("dropped");
        }
    }

    subscribe();
    let (tell, heard) = told();
    let config = ServerConfig::default()
        .handler_time(std::time::Duration::from_millis(10))
        .on_exchange(move |report| tell.send(report.id()).unwrap());
    let server = start_with::<crate::support::Smol, _, _>(config, async |exchange: Exchange| {
        let _tells = Tells;
        std::future::pending::<()>().await;
        exchange.respond(StatusCode::OK, "")
    });
    let mut client = server.connect();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response().unwrap().status, 503);
    let id = heard.next();
    let lines = lines(id.connection());
    assert!(
        lines[0].contains(&format!(":exchange{{request={id} ")) && lines[0].ends_with(": dropped"),
        "{lines:#?}"
    );
    assert!(lines[1].contains(" cause=the handler did not answer"), "{lines:#?}");
}
