//! An HTTP/1.1 and WebSocket server to try things on; `--help` lists its options.
//!
//! `GET /` a page, `GET /hello` the word, `POST /echo` the body back, streamed, `/ws` a WebSocket that sends each
//! message back. The first line that it prints is the address that it listens on. Ctrl-C ends it: open exchanges are
//! answered, WebSockets are closed with 1001, connections close.

mod options;

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use endwell::http::{Field, Framing, Head, Method, StatusCode};
use endwell::ws::{Close, Origins};
use endwell::{Answered, Config, Ended, Exchange, serve};

use options::{Options, Runtime, USAGE};

const TEXT: Field<'_> = Field::from_static("content-type", "text/plain; charset=utf-8");
const HTML: Field<'_> = Field::from_static("content-type", "text/html; charset=utf-8");
const ALLOW_GET: Field<'_> = Field::from_static("allow", "GET, HEAD");
const ALLOW_POST: Field<'_> = Field::from_static("allow", "POST");

async fn handle(exchange: Exchange, origins: Arc<Origins>) -> Result<Answered, Ended> {
    match (exchange.path(), exchange.method()) {
        ("/", Method::Get | Method::Head) => {
            Ok(exchange.respond(Head::new(StatusCode::OK).with(HTML), include_str!("page.html")))
        }
        ("/hello", Method::Get | Method::Head) => {
            Ok(exchange.respond(Head::new(StatusCode::OK).with(TEXT), "hello"))
        }
        // A connection's task is as large as its handler's largest state. Boxed, the rare ones cost idle ones nothing.
        ("/echo", Method::Post) => Box::pin(echo(exchange)).await,
        ("/ws", _) => Box::pin(web_socket(exchange, origins)).await,
        ("/" | "/hello", _) => {
            Ok(refuse(exchange, Head::new(StatusCode::METHOD_NOT_ALLOWED).with(ALLOW_GET)))
        }
        ("/echo", _) => Ok(refuse(exchange, Head::new(StatusCode::METHOD_NOT_ALLOWED).with(ALLOW_POST))),
        _ => Ok(refuse(exchange, Head::new(StatusCode::NOT_FOUND))),
    }
}

/// Sends the body back while it arrives.
async fn echo(exchange: Exchange) -> Result<Answered, Ended> {
    let mut head = Head::new(StatusCode::OK);
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

/// Sends each message back: text as text, binary as binary.
async fn web_socket(exchange: Exchange, origins: Arc<Origins>) -> Result<Answered, Ended> {
    let acceptance = exchange.acceptance().origins(Origins::clone(&origins));
    let mut socket = match exchange.accept(acceptance) {
        Ok(socket) => socket,
        Err((reason, exchange)) => {
            let text = format!("{reason}\n");
            return Ok(exchange.respond(reason.head().with(TEXT), text));
        }
    };
    while let Some(message) = socket.receive().await {
        if message.is_data() {
            socket.send(message).await?;
        }
    }
    Err(socket.close(Close::EMPTY).await)
}

fn refuse(exchange: Exchange, head: Head) -> Answered {
    let text = format!("{}\n", head.status());
    exchange.respond(head.with(TEXT), text)
}

fn bind(options: &Options) -> std::io::Result<std::net::TcpListener> {
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

fn main() -> Result<(), Box<dyn Error>> {
    let options = options::read().unwrap_or_else(|error| {
        eprintln!("serve: {error}\n{USAGE}");
        std::process::exit(2);
    });
    let listener = bind(&options)?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    match options.runtime {
        Runtime::Tokio => on_tokio(listener, options.config, options.origins.into()),
        Runtime::AsyncStd => on_async_std(listener, options.config, options.origins.into()),
    }
}

fn on_tokio(
    listener: std::net::TcpListener,
    config: Config,
    origins: Arc<Origins>,
) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let stop = async { tokio::signal::ctrl_c().await.unwrap_or(()) };
        serve(listener, config, move |exchange| handle(exchange, Arc::clone(&origins))).until(stop).await;
        Ok(())
    })
}

fn on_async_std(
    listener: std::net::TcpListener,
    config: Config,
    origins: Arc<Origins>,
) -> Result<(), Box<dyn Error>> {
    let (stop, stopped) = async_std::channel::bounded(1);
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT])?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            let _ = stop.try_send(());
        }
    });
    async_std::task::block_on(async {
        let stop = async move { stopped.recv().await.unwrap_or(()) };
        let listener = async_std::net::TcpListener::from(listener);
        serve(listener, config, move |exchange| handle(exchange, Arc::clone(&origins))).until(stop).await;
    });
    Ok(())
}
