//! The client's side.

use std::fmt;
use std::io;
use std::time::Duration;

use endwell::client::{self, Pool, PoolLimits, RequestError, Url};
use endwell::http::{Framing, Method, Request, StatusCode};
use endwell::tokio::{Stream, Tcp, Tokio};
use endwell::ws::{self, CloseCode, Content, Outlet, Socket, SocketConfig, WhenFull, broadcast};
use endwell::{Answered, Bytes, ClientConfig, Ended, Exchange, Info, Server, ServerConfig, serve};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A server to talk to, on a port of the system's choice: it sends back what it is sent, also over a WebSocket.
async fn echo() -> io::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async { serve(listener, ServerConfig::default(), answer).await });
    Ok(address)
}

async fn answer(mut exchange: Exchange) -> Result<Answered, Ended> {
    if exchange.path() != "/chat" {
        let body = exchange.read_all(1 << 20).await?;
        return Ok(exchange.respond(StatusCode::OK, body));
    }
    let acceptance = exchange.acceptance();
    let (mut send, mut receive) = match exchange.accept(acceptance) {
        Ok(socket) => socket.split(),
        Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), reason.to_string())),
    };
    // Two tasks share the socket.
    let (messages, mut received) = tokio::sync::mpsc::channel(8);
    let sending = tokio::spawn(async move {
        while let Some(message) = received.recv().await {
            if send.send(message).await.is_err() {
                break;
            }
        }
    });
    while let Some(message) = receive.receive().await {
        if message.is_data() && messages.send(message).await.is_err() {
            break;
        }
    }
    drop(messages);
    let _ = sending.await;
    Err(receive.closed().await)
}

/// A GET with a time limit for all of it.
#[tokio::test]
async fn get_with_a_timeout() -> Outcome {
    let url = format!("http://{}/", echo().await?);
    let pool = Pool::new(Tcp, ClientConfig::default(), PoolLimits::default());
    let mut response = pool.get(&url).timeout(Duration::from_secs(5)).send().await?;
    let (status, text) = (response.status(), response.text(1 << 20).await?);
    assert_eq!((status, &*text), (StatusCode::OK, ""));
    Ok(())
}

/// A body that comes from a stream, and a response that is followed piece by piece.
#[tokio::test]
async fn a_body_from_a_stream() -> Outcome {
    let url = Url::parse(&format!("http://{}/", echo().await?))?;
    let connection = client::Connection::connect(&Tcp, &url.origin(), &ClientConfig::default()).await?;
    let head = Request::new(Method::Post, url.authority(), url.target())?;
    let (pieces, mut source) = tokio::sync::mpsc::channel(2);
    tokio::spawn(async move {
        for piece in ["one ", "two ", "three"] {
            let _ = pieces.send(piece).await;
        }
    });
    let (mut body, response) = connection.request(&head, Framing::Chunked);
    while let Some(piece) = source.recv().await {
        body.write(piece).await?;
    }
    body.finish()?;
    let mut response = response.await?;
    let mut echoed = Vec::new();
    while let Some(piece) = response.read().await? {
        echoed.extend(piece);
    }
    assert_eq!(echoed, b"one two three");
    assert!(response.finish().await.is_some(), "the connection can be used again");
    Ok(())
}

/// Connections that are kept.
#[tokio::test]
async fn reuse_of_connections() -> Outcome {
    let url = format!("http://{}/", echo().await?);
    let pool = Pool::new(Tcp, ClientConfig::default(), PoolLimits::default());
    for _ in 0..3 {
        let body = pool.post(&url).body("hello").send().await?.read_all(1 << 20).await?;
        assert_eq!(&body[..], b"hello");
    }
    assert_eq!(pool.occupancy().connections, 1);
    Ok(())
}

/// An error type of the program's own around a request.
#[derive(Debug)]
enum FetchError {
    Connect(io::Error),
    Request(RequestError),
    Status(StatusCode),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::Request(error) => error.fmt(f),
            Self::Status(status) => write!(f, "got {status}"),
        }
    }
}

impl std::error::Error for FetchError {}

impl From<RequestError> for FetchError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<io::Error> for FetchError {
    fn from(error: io::Error) -> Self {
        Self::Connect(error)
    }
}

async fn fetch(url: &Url, head: &Request) -> Result<Bytes, FetchError> {
    let connection = client::Connection::connect(&Tcp, &url.origin(), &ClientConfig::default()).await?;
    let mut response = connection.send(head, "").await?;
    match response.status() {
        StatusCode::OK => response.read_all(1 << 20).await.map_err(|error| io::Error::other(error).into()),
        status => Err(FetchError::Status(status)),
    }
}

#[tokio::test]
async fn an_error_type_of_ones_own() -> Outcome {
    let url = Url::parse(&format!("http://{}/", echo().await?))?;
    let head = Request::new(Method::Get, url.authority(), url.target())?;
    assert_eq!(fetch(&url, &head).await?, "");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
    tokio::spawn(async move { listener.accept().await.map(drop) });
    assert!(matches!(fetch(&url, &head).await, Err(FetchError::Request(_))));
    Ok(())
}

/// A WebSocket client, whose server shares its socket between two tasks.
#[tokio::test]
async fn a_web_socket() -> Outcome {
    let url = format!("ws://{}/chat", echo().await?);
    let mut socket = Socket::connect(&Tcp, &url, &ClientConfig::default()).await?;
    socket.send("hello").await?;
    let message = socket.receive_data().await.ok_or("no echo")?;
    assert!(matches!(message.content(), Content::Text("hello")));
    println!("{}", socket.close(CloseCode::NORMAL).await);
    Ok(())
}

/// One message for many.
#[tokio::test]
async fn a_broadcast() -> Outcome {
    let (mut sockets, mut outlets): (Vec<Socket>, Vec<Outlet>) = (Vec::new(), Vec::new());
    let url = format!("ws://{}/chat", echo().await?);
    for _ in 0..3 {
        let socket = Socket::connect(&Tcp, &url, &ClientConfig::default()).await?;
        outlets.push(socket.outlet());
        sockets.push(socket);
    }
    broadcast("to all", outlets.iter().map(|outlet| (outlet, WhenFull::DropOldest))).await;
    for socket in &mut sockets {
        let message = socket.receive_data().await.ok_or("no echo")?;
        assert_eq!(message.as_text(), Some("to all"));
    }
    Ok(())
}

/// A test of a handler without sockets.
#[tokio::test]
async fn a_test_without_sockets() -> Outcome {
    let (near, far) = tokio::io::duplex(4096);
    let server = Server::new(ServerConfig::default(), answer);
    tokio::spawn(server.connection(Stream::new(far), Tokio, Info::default()));
    let (connection, driver) = client::Connection::over(Stream::new(near), Tokio, &ClientConfig::default());
    tokio::spawn(driver);
    let mut response = connection.send(&Request::new(Method::Post, "test", "/")?, "hello").await?;
    assert_eq!(response.read_all(100).await?, "hello");
    Ok(())
}

/// A response without an end, which notices that its reader has left.
#[tokio::test]
async fn a_reader_that_leaves() -> Outcome {
    let (near, far) = tokio::io::duplex(4096);
    let (told, left) = tokio::sync::oneshot::channel();
    let told = std::sync::Mutex::new(Some(told));
    let mut config = ServerConfig::default();
    // A reader that has only ended its side of the stream counts as gone after this time.
    config.half_closed = Some(Duration::from_millis(50));
    let server = Server::new(config, move |exchange: Exchange| {
        let told = told.lock().unwrap().take();
        async move {
            let (_, mut body) = exchange.start(StatusCode::OK, Framing::Chunked);
            body.write("first").await?;
            let ended = body.gone().await;
            let _ = told.map(|told| told.send(ended.clone()));
            Err::<Answered, _>(ended)
        }
    });
    tokio::spawn(server.connection(Stream::new(far), Tokio, Info::default()));
    let (connection, driver) = client::Connection::over(Stream::new(near), Tokio, &ClientConfig::default());
    tokio::spawn(driver);
    let mut response = connection.send(&Request::new(Method::Get, "test", "/")?, "").await?;
    assert_eq!(response.read().await?.ok_or("no piece")?, "first");
    drop(response);
    println!("{}", tokio::time::timeout(Duration::from_secs(5), left).await??);
    Ok(())
}

/// What is returned does not borrow what it does not need.
#[expect(dead_code, reason = "it only has to compile")]
mod captures {
    use endwell::Connector;
    use endwell::client::{Connection, Origin};
    use endwell::http::RequestHead;
    use endwell::ws::Subprotocol;

    use super::*;

    fn without_the_configuration<C: Connector>(
        connector: &C,
        origin: &Origin,
    ) -> impl Future<Output = io::Result<Connection>> {
        let config = ClientConfig::default();
        Connection::connect(connector, origin, &config)
    }

    fn without_the_url<C: Connector>(
        connector: &C,
        host: &str,
    ) -> impl Future<Output = Result<Socket, ws::ConnectError>> {
        let (url, config) = (format!("ws://{host}/chat"), ClientConfig::default());
        Socket::connect(connector, &url, &config)
    }

    fn without_the_request(request: RequestHead) -> impl Iterator<Item = Subprotocol> {
        Subprotocol::offered(&request)
    }

    fn without_the_settings(stream: tokio::io::DuplexStream, socket: endwell::core::ws::Socket) -> Socket {
        let config = SocketConfig::default();
        let (socket, driver) = Socket::over(Stream::new(stream), Tokio, socket, &config);
        tokio::spawn(driver);
        socket
    }
}

/// A task that is not awaited has a type that can be named.
#[expect(dead_code, reason = "it only has to compile")]
struct Client {
    pool: Pool<Tcp>,
    waiting: Option<client::ResponseFuture>,
    response: Option<client::ResponseReader>,
}
