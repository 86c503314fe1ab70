//! A browser's WebSockets over HTTP/2 and TLS: many on one connection, each with its limits.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode, Version};
use axum::response::{Html, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use endwell::tls;
use endwell::ws::{Acceptance, CloseCode, Origins, Socket, SocketLimits, WebSocketUpgrade};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::support::{Runtime as _, Tokio};

/// The number of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Number(usize);

/// What the browser did.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    /// The connection of each extended CONNECT.
    extended_connects: Mutex<Vec<Number>>,
    over_limits: AtomicUsize,
}

#[derive(Clone)]
struct Page {
    seen: Arc<Seen>,
    /// Opened when the page has done its work.
    done: Arc<Semaphore>,
}

/// Each socket has its own: the path says how long a message may be.
async fn chat(
    State(page): State<Page>,
    Path(message_bytes): Path<u64>,
    upgrade: WebSocketUpgrade,
    request: Request<Body>,
) -> Response {
    if (request.version(), request.method().as_str()) == (Version::HTTP_2, "CONNECT") {
        page.seen.extended_connects.lock().unwrap().push(*request.extensions().get().unwrap());
    }
    let mut limits = SocketLimits::default();
    limits.message_bytes = message_bytes;
    let acceptance = Acceptance::new(limits.into()).subprotocols(["chat.v1"]);
    upgrade.on_open(acceptance, async move |mut socket: Socket| {
        while let Some(message) = socket.receive_data().await {
            socket.send(message).await.unwrap();
        }
        let ended = socket.close(CloseCode::NORMAL).await;
        if ended.to_string().contains("the limit is 100 bytes") {
            page.seen.over_limits.fetch_add(1, SeqCst);
        }
    })
}

async fn elsewhere(upgrade: WebSocketUpgrade) -> Response {
    let acceptance = upgrade.acceptance().origins(Origins::List(vec!["https://example.com".to_owned()]));
    upgrade.on_open(acceptance, async |_| {})
}

fn router(page: Page) -> Router {
    Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/chat/{message_bytes}", any(chat))
        .route("/other-origins-only", any(elsewhere))
        .route("/done", post(async |State(page): State<Page>| page.done.add_permits(1)))
        .route(
            "/picture",
            get(async |State(page): State<Page>| {
                page.done.acquire().await.unwrap().forget();
                StatusCode::NOT_FOUND
            }),
        )
        .with_state(page)
}

/// hyper's server of HTTP/2, which allows extended CONNECT.
async fn serve(listener: tokio::net::TcpListener, page: Page) {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let mut config =
        tls::server_config(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let router = router(page.clone());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, router, page) = (acceptor.clone(), router.clone(), page.clone());
        tokio::spawn(async move {
            // A connection that the browser opens in advance ends here.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let number = Number(page.seen.connections.fetch_add(1, SeqCst));
            let mut server = http2::Builder::new(TokioExecutor::new());
            let service = TowerToHyperService::new(router.layer(Extension(number)));
            let _ = server.enable_connect_protocol().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The page as the browser has it in the end, or `None` without a browser.
fn browse(address: SocketAddr, more: &[String]) -> Option<String> {
    let profile = std::env::temp_dir().join(format!("endwell-chromium-{}", std::process::id()));
    let mut command = Command::new("chromium");
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--ignore-certificate-errors",
            "--timeout=60000",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(more)
        .arg(format!("https://localhost:{}/", address.port()))
        .stderr(Stdio::null());
    let output = command.output().ok();
    let _ = std::fs::remove_dir_all(&profile);
    Some(String::from_utf8(output?.stdout).unwrap())
}

/// With `ENDWELL_SCREENSHOT`, the path of a file, the page is drawn there too.
#[test]
fn a_browser_opens_many_on_one_connection() {
    let page = Page { seen: Arc::default(), done: Arc::new(Semaphore::new(0)) };
    let seen = Arc::clone(&page.seen);
    let dom = Tokio::run(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(listener, page));
        let dom = tokio::task::spawn_blocking(move || {
            let dom = browse(address, &["--dump-dom".to_owned()])?;
            if let Ok(file) = std::env::var("ENDWELL_SCREENSHOT") {
                browse(address, &[format!("--screenshot={file}"), "--window-size=800,1000".to_owned()]);
                return None;
            }
            Some(dom)
        });
        let dom = dom.await.unwrap();
        server.abort();
        dom
    });
    let Some(dom) = dom else {
        println!("SKIPPED: there is no program `chromium` here, or it drew the page");
        return;
    };
    let (_, result) = dom.split_once("<pre id=\"result\">").expect("the page");
    let (result, _) = result.split_once("</pre>").unwrap();
    let mut lines: Vec<&str> = result.lines().collect();
    assert_eq!(lines.pop(), Some("refused, 1006"), "another origin's: {dom}");
    assert_eq!(lines.pop(), Some("chat.v1 1 1009"), "the message above the limit: {dom}");
    assert_eq!(lines, ["chat.v1 3 1000"; 19], "{dom}");
    assert!(dom.contains("<b id=\"protocol\">h2</b>"), "{dom}");
    let connections = seen.extended_connects.lock().unwrap();
    assert_eq!(*connections, [connections[0]; 20], "all on one connection");
    assert_eq!(seen.over_limits.load(SeqCst), 1);
}
