//! How a server ends: in time, and not.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use endwell::client::{Connection, Origin};
use endwell::http::{Framing, Method, Request, StatusCode};
use endwell::tls::rustls::ClientConfig;
use endwell::tls::{self, TlsInfo};
use endwell::tokio::Tcp;
use endwell::{Address, Answered, Ended, Exchange, Server, ServerConfig, Stage, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::authority::{Authority, authority, identity};

/// The error of the application itself.
#[derive(Debug)]
struct BrokenOff {
    after: usize,
    source: Ended,
}

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an upload broke off after {} bytes: {}", self.after, self.source)
    }
}

impl std::error::Error for BrokenOff {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Counts what is uploaded, and tells of each piece.
async fn upload(mut exchange: Exchange, came: mpsc::UnboundedSender<usize>) -> Result<Answered, BrokenOff> {
    let mut after = 0;
    while let Some(piece) = exchange.read().await.map_err(|source| BrokenOff { after, source })? {
        after += piece.len();
        let _ = came.send(after);
    }
    Ok(exchange.respond(StatusCode::OK, format!("{after} bytes")))
}

async fn dial(address: &Address, config: ClientConfig) -> Connection {
    let Address::Tcp(address) = address else { panic!("{address}") };
    let origin = Origin::https("localhost", address.port());
    Connection::connect(&tls::TlsConnector::new(Tcp, config), &origin, &endwell::ClientConfig::default())
        .await
        .unwrap()
}

/// Two listeners with TLS, of which one asks for certificates. One client does not leave in time.
#[tokio::test]
async fn two_listeners_with_tls_and_a_client_that_stays() {
    let clients = Authority::new("clients");
    let client = clients.sign(&["client"]);
    let (tell, mut came) = mpsc::unbounded_channel();
    let log = Arc::<Mutex<Vec<String>>>::default();

    let lines = Arc::clone(&log);
    let config = ServerConfig::default().on_exchange(move |report| {
        let certificates = report.info::<TlsInfo>().map_or(0, |tls| tls.peer_certificates.len());
        let line = report.request_line();
        let error = report.error().map(|error| format!(": {error}")).unwrap_or_default();
        lines.lock().unwrap().push(format!("{line}, {certificates} certificates{error}"));
    });
    let server = Server::new(config, move |exchange: Exchange| upload(exchange, tell.clone()));
    let public = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let public = server.listen(tls::TlsListener::new(public, identity().server()));
    let internal = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let internal = server.listen(tls::TlsListener::new(internal, identity().mutual_server(&clients)));

    let post = |target| Request::new(Method::Post, "localhost", target).unwrap();
    let leaves = dial(public.local_address().unwrap(), authority().client()).await;
    let mut received = leaves.send(&post("/in-time"), "12345678").await.unwrap();
    assert_eq!(received.read_all(100).await.unwrap(), "8 bytes");
    // It is kept, and closes when its server does.
    let _leaves = received.finish().await.unwrap();
    let stays = dial(internal.local_address().unwrap(), authority().client_with(&client)).await;
    let (mut body, response) = stays.request(&post("/late"), Framing::Length(1000));
    body.write("12345").await.unwrap();
    assert_eq!((came.recv().await, came.recv().await), (Some(8), Some(5)));

    let time = Duration::from_millis(200);
    let report = soon(server.shutdown(time)).await;

    let [late] = &report.late[..] else { panic!("{report}") };
    assert_eq!((report.in_time, late.stage, late.held_bytes), (1, Stage::Handling, 0));
    assert_eq!(late.target.as_deref(), Some("/late"));
    assert!(late.age >= time, "{late}");
    assert_eq!(late.info.get::<TlsInfo>().unwrap().peer_certificates, [client.der()]);
    println!("{report}");
    drop(response.await.unwrap_err());
    let log = log.lock().unwrap();
    println!("{}", log.join("\n"));
    assert_eq!(
        *log,
        [
            "POST /in-time HTTP/1.1, 0 certificates",
            "POST /late HTTP/1.1, 1 certificates: an upload broke off after 5 bytes: the server was shut down"
        ]
    );
}

/// A handler that waits for a word.
fn waits(word: oneshot::Receiver<()>) -> impl Fn(Exchange) -> Waiting + Send + Sync + 'static {
    let word = Mutex::new(Some(word));
    move |exchange| {
        let word = word.lock().unwrap().take();
        Box::pin(async move {
            if let Some(word) = word {
                let _ = word.await;
            }
            exchange.respond(StatusCode::OK, "late")
        })
    }
}

type Waiting = std::pin::Pin<Box<dyn Future<Output = Answered> + Send>>;

async fn begun(address: SocketAddr, counters: &endwell::Counters) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    while counters.exchanges() == 0 {
        tokio::task::yield_now().await;
    }
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut rest = String::new();
    soon(stream.read_to_string(&mut rest)).await.unwrap();
    rest
}

/// Bounds a wait.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.unwrap()
}

/// What is idle closes, what has begun is answered, and nothing new is accepted.
async fn is_drained(address: SocketAddr, open: TcpStream, idle: TcpStream, say: oneshot::Sender<()>) {
    assert_eq!(rest(idle).await, "");
    TcpStream::connect(address).await.unwrap_err();
    say.send(()).unwrap();
    let response = rest(open).await;
    assert!(response.contains("connection: close") && response.ends_with("late"), "{response}");
}

#[tokio::test]
async fn a_server_that_is_dropped_answers_what_has_begun() {
    let (say, word) = oneshot::channel();
    let server = Server::new(ServerConfig::default(), waits(word));
    let listening = server.listen(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let Ok(Address::Tcp(address)) = listening.local_address() else { panic!() };
    let counters = server.counters();
    let open = begun(*address, &counters).await;
    let idle = TcpStream::connect(address).await.unwrap();
    while counters.accepted() < 2 {
        tokio::task::yield_now().await;
    }
    drop(server);
    is_drained(*address, open, idle, say).await;
}

#[tokio::test]
async fn a_serve_that_is_dropped_answers_what_has_begun() {
    let (say, word) = oneshot::channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = serve(listener, ServerConfig::default(), waits(word));
    let counters = serving.counters();
    let (open, idle) = tokio::select! {
        _ = serving => panic!("it has no end"),
        both = async {
            let open = begun(address, &counters).await;
            let idle = TcpStream::connect(address).await.unwrap();
            while counters.accepted() < 2 {
                tokio::task::yield_now().await;
            }
            (open, idle)
        } => both,
    };
    // `select!` has dropped it.
    is_drained(address, open, idle, say).await;
}

/// The time is that of the configuration.
#[tokio::test]
async fn a_server_that_is_dropped_cuts_off_what_takes_too_long() {
    let (_say, word) = oneshot::channel();
    let (tell, mut ended) = mpsc::unbounded_channel();
    let mut config = ServerConfig::default();
    config.shutdown_time = Duration::from_millis(50);
    config.on_end = Some(Arc::new(move |_, ended| tell.send(ended.to_string()).unwrap()));
    let server = Server::new(config, waits(word));
    let listening = server.listen(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let Ok(Address::Tcp(address)) = listening.local_address() else { panic!() };
    let mut open = begun(*address, &server.counters()).await;
    drop(server);
    assert_eq!(soon(ended.recv()).await.unwrap(), "the server was shut down");
    assert!(open.read(&mut [0]).await.is_err(), "a reset: no response came");
}

/// A second Ctrl-C, and one that gives the report up.
#[tokio::test]
async fn a_shutdown_can_be_cut_short() {
    for waits_for_it in [true, false] {
        let (_say, word) = oneshot::channel();
        let (tell, mut ended) = mpsc::unbounded_channel();
        let config = ServerConfig::default().on_end(move |_, ended| tell.send(ended.to_string()).unwrap());
        let server = Server::new(config, waits(word));
        let listening = server.listen(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let Ok(Address::Tcp(address)) = listening.local_address() else { panic!() };
        let open = begun(*address, &server.counters()).await;
        let shutdown = server.shutdown(Duration::from_secs(3600));
        shutdown.set_time(Duration::ZERO);
        if waits_for_it {
            let report = soon(shutdown).await;
            assert_eq!((report.in_time, report.late.len()), (0, 1), "{report}");
        } else {
            drop(shutdown);
        }
        assert_eq!(soon(ended.recv()).await.unwrap(), "the server was shut down");
        drop(open);
    }
}
