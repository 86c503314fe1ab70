//! An HTTP/1.1 server to try things on.
//!
//! ```text
//! serve [--listen ADDR] [--runtime tokio|async-std] [--max-body BYTES] [--max-connections N] [--backlog N]
//! ```
//!
//! `GET /` a page, `GET /hello` the word, `POST /echo` the body back, streamed. The first line that it prints is the
//! address that it listens on. Ctrl-C ends it: open exchanges are answered, connections close.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;

use endwell::http::{Field, Framing, Head, Method, StatusCode};
use endwell::{Answered, Config, Ended, Exchange, serve};

const TEXT: Field<'_> = Field::from_static("content-type", "text/plain; charset=utf-8");
const HTML: Field<'_> = Field::from_static("content-type", "text/html; charset=utf-8");
const ALLOW_GET: Field<'_> = Field::from_static("allow", "GET, HEAD");
const ALLOW_POST: Field<'_> = Field::from_static("allow", "POST");

async fn handle(exchange: Exchange) -> Result<Answered, Ended> {
    match (exchange.path(), exchange.method()) {
        ("/", Method::Get | Method::Head) => {
            Ok(exchange.respond(Head::new(StatusCode::OK).with(HTML), include_str!("serve.html")))
        }
        ("/hello", Method::Get | Method::Head) => {
            Ok(exchange.respond(Head::new(StatusCode::OK).with(TEXT), "hello"))
        }
        ("/echo", Method::Post) => echo(exchange).await,
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

fn refuse(exchange: Exchange, head: Head) -> Answered {
    let text = format!("{}\n", head.status());
    exchange.respond(head.with(TEXT), text)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Runtime {
    Tokio,
    AsyncStd,
}

struct Options {
    listen: SocketAddr,
    runtime: Runtime,
    backlog: i32,
    config: Config,
}

const USAGE: &str = "usage: serve [--listen ADDR] [--runtime tokio|async-std] [--max-body BYTES] [--max-connections N] [--backlog N]";

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;
    let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
    let mut options = Options { listen, runtime: Runtime::Tokio, backlog: 1024, config: Config::default() };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("listen") => options.listen = arguments.value()?.parse()?,
            Long("runtime") => {
                options.runtime = arguments.value()?.parse_with(|name| match name {
                    "tokio" => Ok(Runtime::Tokio),
                    "async-std" => Ok(Runtime::AsyncStd),
                    _ => Err("expected tokio or async-std"),
                })?;
            }
            Long("max-body") => options.config.http.body_bytes = arguments.value()?.parse()?,
            Long("max-connections") => options.config.connections = arguments.value()?.parse()?,
            Long("backlog") => options.backlog = arguments.value()?.parse()?,
            Long("help") | Short('h') => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected()),
        }
    }
    Ok(options)
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
    let options = options().unwrap_or_else(|error| {
        eprintln!("serve: {error}\n{USAGE}");
        std::process::exit(2);
    });
    let listener = bind(&options)?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    match options.runtime {
        Runtime::Tokio => tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let stop = async { tokio::signal::ctrl_c().await.unwrap_or(()) };
            serve(listener, options.config, handle).until(stop).await;
            Ok(())
        }),
        Runtime::AsyncStd => on_async_std(listener, options.config),
    }
}

fn on_async_std(listener: std::net::TcpListener, config: Config) -> Result<(), Box<dyn Error>> {
    let (stop, stopped) = async_std::channel::bounded(1);
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT])?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            let _ = stop.try_send(());
        }
    });
    async_std::task::block_on(async {
        let stop = async move { stopped.recv().await.unwrap_or(()) };
        serve(async_std::net::TcpListener::from(listener), config, handle).until(stop).await;
    });
    Ok(())
}
