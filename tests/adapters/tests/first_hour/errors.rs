//! What goes wrong, and state.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use endwell::client::Connection;
use endwell::http::StatusCode;
use endwell::tokio::{Stream, Tokio};
use endwell::{
    Answered, ClientConfig, Ended, Exchange, HandlerEnd, HandlerError, ServerConfig, serve, with_state,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Runs a server until the client is done.
macro_rules! with_server {
    ($config:expr, $handler:expr, $client:expr) => {{
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = serve(listener, $config, $handler);
        let counters = server.counters();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let client = async {
            let answer = $client(address).await;
            drop(stop);
            answer
        };
        let (answer, _) = tokio::join!(client, server.until(async { drop(stopped.await) }));
        (answer, counters)
    }};
}

/// Asks for a path. Returns the status line and the body.
async fn get(address: std::net::SocketAddr, path: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

struct App {
    greeting: String,
}

/// A handler that is a function, with state.
async fn greet(app: Arc<App>, exchange: Exchange) -> Answered {
    exchange.respond(StatusCode::OK, app.greeting.clone())
}

#[tokio::test]
async fn state() {
    let app = Arc::new(App { greeting: "hello".into() });
    let (answer, _) =
        with_server!(ServerConfig::default(), with_state(app, greet), async |address| get(address, "/")
            .await);
    assert_eq!(answer, (200, "hello".to_owned()));
}

#[tokio::test]
async fn state_in_a_closure() {
    let app = Arc::new(App { greeting: "hello".into() });
    let handler = with_state(app, async |app: Arc<App>, exchange: Exchange| {
        exchange.respond(StatusCode::OK, app.greeting.clone())
    });
    let (answer, _) = with_server!(ServerConfig::default(), handler, async |address| get(address, "/").await);
    assert_eq!(answer, (200, "hello".to_owned()));
}

#[derive(Debug)]
enum Failure {
    NoSuchUser(String),
    Database(std::io::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSuchUser(name) => write!(f, "no user {name}"),
            Self::Database(_) => f.write_str("the database failed"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoSuchUser(_) => None,
            Self::Database(error) => Some(error),
        }
    }
}

/// Said once, for all handlers.
impl From<Failure> for HandlerError {
    fn from(failure: Failure) -> Self {
        let status = match failure {
            Failure::NoSuchUser(_) => StatusCode::NOT_FOUND,
            Failure::Database(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, failure)
    }
}

fn name_of(path: &str) -> Result<String, Failure> {
    match path {
        "/1" => Ok("ada".to_owned()),
        "/down" => Err(Failure::Database(std::io::ErrorKind::NotConnected.into())),
        other => Err(Failure::NoSuchUser(other.to_owned())),
    }
}

#[tokio::test]
async fn an_error_type_of_its_own() {
    async fn user(exchange: Exchange) -> Result<Answered, HandlerError> {
        let name = name_of(exchange.path())?;
        Ok(exchange.respond(StatusCode::OK, name))
    }
    let (answers, counters) = with_server!(ServerConfig::default(), user, async |address| {
        [get(address, "/1").await, get(address, "/2").await, get(address, "/down").await]
    });
    assert_eq!(answers.map(|(status, body)| (status, body.len())), [(200, 3), (404, 0), (503, 0)]);
    assert_eq!(counters.failed(), 2);
}

#[tokio::test]
async fn anyhow_and_a_file() {
    async fn page(mut exchange: Exchange) -> anyhow::Result<Answered> {
        use anyhow::Context;
        let _form = exchange.read_all(1 << 20).await?;
        let page = tokio::fs::read("/no/such/file").await.context("the page")?;
        Ok(exchange.respond(StatusCode::OK, page))
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&log);
    let config = ServerConfig::default().on_exchange(move |report| {
        let error = report.error().map(|error| format!("{error}: {}", error.source().unwrap()));
        lines.lock().unwrap().push(error);
    });
    let (answer, _) = with_server!(config, page, async |address| get(address, "/").await);
    assert_eq!(answer, (500, String::new()), "the cause is not for the client");
    let log = log.lock().unwrap();
    let [Some(error)] = &log[..] else { panic!("{log:?}") };
    assert!(error.starts_with("the page: No such file"), "{error}");
}

#[tokio::test]
async fn a_file_without_anyhow() {
    async fn page(exchange: Exchange) -> std::io::Result<Answered> {
        let page = tokio::fs::read("/no/such/file").await?;
        Ok(exchange.respond(StatusCode::OK, page))
    }
    let (answer, counters) =
        with_server!(ServerConfig::default(), page, async |address| get(address, "/").await);
    assert_eq!((answer.0, counters.failed()), (500, 1));
}

#[tokio::test]
async fn a_log_of_every_exchange() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&log);
    let config = ServerConfig::default().on_exchange(move |report| {
        let status = report.status().unwrap_or(0);
        let line = format!("{} {status}", report.request_line());
        assert!(report.time() < Duration::from_secs(10));
        lines.lock().unwrap().push(line);
    });
    let (_, _) = with_server!(
        config,
        async |exchange: Exchange| match exchange.path() {
            "/hello" => exchange.respond(StatusCode::OK, "hello"),
            _ => exchange.respond(StatusCode::NOT_FOUND, ""),
        },
        async |address| {
            get(address, "/hello").await;
            get(address, "/other").await
        }
    );
    assert_eq!(*log.lock().unwrap(), ["GET /hello HTTP/1.1 200", "GET /other HTTP/1.1 404"]);
}

#[tokio::test]
async fn a_time_for_a_handler() {
    let config = ServerConfig::default().handler_time(Duration::from_millis(20));
    let (answer, counters) = with_server!(
        config,
        async |exchange: Exchange| {
            tokio::time::sleep(Duration::from_secs(60)).await;
            exchange.respond(StatusCode::OK, "late")
        },
        async |address| get(address, "/").await
    );
    assert_eq!(answer.0, 503);
    assert_eq!((counters.cancelled(), counters.unanswered()), (1, 0));
}

#[tokio::test]
async fn a_handler_that_panics() {
    let seen = Arc::new(Mutex::new(None));
    let tell = Arc::clone(&seen);
    let config = ServerConfig::default().on_exchange(move |report| {
        *tell.lock().unwrap() = Some((report.status(), report.handler_end().unwrap().clone()));
    });
    let (answer, _) = with_server!(
        config,
        async |exchange: Exchange| -> Answered {
            let _exchange = exchange;
            std::panic::resume_unwind(Box::new("a bug"))
        },
        async |address| get(address, "/").await
    );
    assert_eq!(answer.0, 500);
    assert!(matches!(*seen.lock().unwrap(), Some((Some(500), HandlerEnd::Panicked))));
}

/// What an error or a setting is made of has a name outside of `endwell::core`.
#[test]
fn the_parts_of_an_error_have_names() {
    use endwell::{Bound, Ended, Exceeded, Limit, Violation};

    fn describe(ended: &Ended) -> Option<(Limit, Bound)> {
        let _violation: Option<&Violation> = ended.violation();
        let exceeded: Option<&Exceeded> = ended.exceeded();
        exceeded.map(|exceeded| (exceeded.limit, exceeded.bound))
    }

    let mut config = ServerConfig::default();
    config.output.pace = endwell::Pace::silence(Duration::from_secs(1));
    let output: endwell::OutboxLimits = config.output;
    assert_eq!(output.pace, config.output.pace);
    let ended: Ended = endwell::WriteError::Overrun("".into()).into();
    assert_eq!(describe(&ended), None);
}

/// Asks twice on one connection.
async fn get_twice(address: std::net::SocketAddr) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut responses = String::new();
    socket.read_to_string(&mut responses).await.unwrap();
    responses
}

/// The end of a connection to somewhere else.
async fn ended_elsewhere() -> Ended {
    let (stream, _) = tokio::io::duplex(1);
    let (_connection, driver) = Connection::over(Stream::new(stream), Tokio, &ClientConfig::default());
    driver.await
}

/// A proxy's other side has ended: its client is answered, and can ask again.
#[tokio::test]
async fn the_end_of_another_connection() {
    async fn forward(_: Exchange) -> Result<Answered, Ended> {
        Err(ended_elsewhere().await)
    }
    let errors = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&errors);
    let mut config = ServerConfig::default();
    config.on_exchange =
        Some(Arc::new(move |report| log.lock().unwrap().push(report.error().unwrap().to_string())));
    let (answers, counters) = with_server!(config, forward, get_twice);
    assert_eq!(answers.matches("HTTP/1.1 500 ").count(), 2, "{answers}");
    assert_eq!((counters.failed(), counters.unanswered()), (2, 0));
    assert_eq!(*errors.lock().unwrap(), ["closed by the peer"; 2]);
}

#[tokio::test]
async fn the_end_of_another_connection_as_502() {
    async fn forward(_: Exchange) -> Result<Answered, HandlerError> {
        Err(HandlerError::new(StatusCode::BAD_GATEWAY, ended_elsewhere().await))
    }
    let (answers, counters) = with_server!(ServerConfig::default(), forward, get_twice);
    assert_eq!(answers.matches("HTTP/1.1 502 ").count(), 2, "{answers}");
    assert_eq!((counters.failed(), counters.unanswered()), (2, 0));
}
