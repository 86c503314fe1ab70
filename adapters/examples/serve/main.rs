//! An HTTP/1.1 and WebSocket server to try things on; `--help` lists its options.
//!
//! `GET /` a page, `GET /hello` the word, `POST /echo` the body back, streamed, `/ws` a WebSocket that sends each
//! message back. The first line that it prints is the address that it listens on. Ctrl-C ends it: open exchanges are
//! answered, WebSockets are closed with 1001, connections close. A second Ctrl-C ends it at once.

#[path = "../console/mod.rs"]
mod console;
mod options;

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use endwell::blocking::block_on;
use endwell::http::{Field, Framing, Method, Response, StatusCode};
use endwell::tls::{self, rustls};
use endwell::ws::{Close, Origins, Socket};
use endwell::{Answered, Ended, Exchange, IntoAnswered, Listener, ServerConfig, serve, with_state};
use signal_hook::consts::SIGINT;
use signal_hook::iterator::Signals;

use console::tell;
use options::{Options, Runtime, USAGE};

const TEXT: Field<'_> = Field::from_static("content-type", "text/plain; charset=utf-8");
const HTML: Field<'_> = Field::from_static("content-type", "text/html; charset=utf-8");
const ALLOW_GET: Field<'_> = Field::from_static("allow", "GET, HEAD");
const ALLOW_POST: Field<'_> = Field::from_static("allow", "POST");

async fn handle(origins: Arc<Origins>, exchange: Exchange) -> Result<Answered, Ended> {
    match (exchange.path(), exchange.method()) {
        ("/", Method::Get | Method::Head) => {
            Ok(exchange.respond(Response::new(StatusCode::OK).with(HTML), include_str!("page.html")))
        }
        ("/hello", Method::Get | Method::Head) => {
            Ok(exchange.respond(Response::new(StatusCode::OK).with(TEXT), "hello"))
        }
        ("/echo", Method::Post) => echo(exchange).await,
        ("/ws", _) => match open(exchange, &origins) {
            Ok(socket) => web_socket(socket).await,
            Err(answered) => Ok(answered),
        },
        ("/" | "/hello", _) => {
            Ok(refuse(exchange, Response::new(StatusCode::METHOD_NOT_ALLOWED).with(ALLOW_GET)))
        }
        ("/echo", _) => Ok(refuse(exchange, Response::new(StatusCode::METHOD_NOT_ALLOWED).with(ALLOW_POST))),
        _ => Ok(refuse(exchange, Response::new(StatusCode::NOT_FOUND))),
    }
}

/// Sends the body back while it arrives.
async fn echo(exchange: Exchange) -> Result<Answered, Ended> {
    let mut head = Response::new(StatusCode::OK);
    if let Some(Ok(field)) =
        exchange.fields().get("content-type").map(|value| Field::new("content-type", value))
    {
        head = head.with(field);
    }
    let length = exchange.fields().get_str("content-length").and_then(|length| length.parse().ok());
    let framing = length.map_or(Framing::Chunked, Framing::Length);
    let (mut request, mut response) = exchange.start(head, framing);
    while let Some(piece) = request.read().await? {
        response.write(piece).await?;
    }
    response.finish()
}

/// Accepts the handshake of a WebSocket, or says why not.
fn open(exchange: Exchange, origins: &Origins) -> Result<Socket, Answered> {
    let acceptance = exchange.acceptance().origins(origins.clone());
    exchange.accept(acceptance).map_err(|(reason, exchange)| {
        let text = format!("{reason}\n");
        exchange.respond(reason.head().with(TEXT), text)
    })
}

/// Sends each message back: text as text, binary as binary.
async fn web_socket(mut socket: Socket) -> Result<Answered, Ended> {
    while let Some(message) = socket.receive_data().await {
        socket.send(message).await?;
    }
    Err(socket.close(Close::EMPTY).await)
}

fn refuse(exchange: Exchange, head: Response) -> Answered {
    let text = format!("{}\n", head.status());
    exchange.respond(head.with(TEXT), text)
}

fn bind(options: &Options) -> io::Result<std::net::TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(options.listen),
        socket2::Type::STREAM,
        Some(socket2::Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.bind(&options.listen.into())?;
    socket.listen(options.backlog)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Is done at the first Ctrl-C. The second one ends the program at once, whatever is still open.
fn interrupted() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let (tell, told) = smol::channel::bounded(1);
    let mut signals = Signals::new([SIGINT])?;
    std::thread::spawn(move || {
        for _ in &mut signals {
            if tell.is_closed() || tell.try_send(()).is_err() {
                std::process::exit(130);
            }
        }
    });
    Ok(async move { told.recv().await.unwrap_or(()) })
}

fn main() -> ExitCode {
    let options = match options::read() {
        Ok(options) => options,
        Err(error) => {
            tell(format_args!("serve: {error}\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(format_args!("serve: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let tls = options.tls.as_ref().map(|(certificate, key)| tls(certificate, key)).transpose()?;
    let listener = bind(&options).map_err(|error| format!("{}: {error}", options.listen))?;
    let address = listener.local_addr()?;
    writeln!(io::stdout(), "{address}").map_err(|error| format!("standard output: {error}"))?;
    let serving = Serving {
        config: options.config,
        tls,
        handler: with_state(Arc::new(options.origins), handle),
        stop: interrupted()?,
    };
    match options.runtime {
        Runtime::Tokio => {
            tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
                serving.on(tokio::net::TcpListener::from_std(listener)?).await;
                io::Result::Ok(())
            })?;
        }
        Runtime::AsyncStd => {
            async_std::task::block_on(serving.on(async_std::net::TcpListener::from(listener)));
        }
        Runtime::Smol => smol::block_on(serving.on(smol::net::TcpListener::try_from(listener)?)),
        Runtime::Blocking => block_on(serving.on(listener)),
    }
    Ok(())
}

/// What is served, whatever it is served on.
struct Serving<H, S> {
    config: ServerConfig,
    tls: Option<rustls::ServerConfig>,
    handler: H,
    stop: S,
}

impl<H, F, S> Serving<H, S>
where
    H: Fn(Exchange) -> F + Send + Sync + 'static,
    F: Future<Output: IntoAnswered> + Send + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    async fn on(self, listener: impl Listener + Sync) {
        let Self { config, tls, handler, stop } = self;
        let report = match tls {
            None => serve(listener, config, handler).until(stop).await,
            Some(tls) => serve(tls::TlsListener::new(listener, tls), config, handler).until(stop).await,
        };
        if !report.late.is_empty() {
            tell(format_args!("serve: {report}"));
        }
    }
}

fn tls(certificate: &Path, key: &Path) -> Result<rustls::ServerConfig, String> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    tls::server_config(&read(certificate)?, &read(key)?)
        .map_err(|error| format!("{} and {}: {error}", certificate.display(), key.display()))
}
