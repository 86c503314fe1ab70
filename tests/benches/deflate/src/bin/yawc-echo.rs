//! An echo with yawc: `yawc-echo [--no-context-takeover]`. Prints where it listens.

use std::convert::Infallible;

use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use yawc::{CompressionLevel, DeflatePool, Frame, OpCode, Options, WebSocket};

type Answer = Response<http_body_util::Empty<Bytes>>;

async fn echo(mut request: Request<Incoming>, options: Options) -> Result<Answer, Infallible> {
    let (response, upgrading) = WebSocket::upgrade_with_options(&mut request, options).expect("a handshake");
    tokio::spawn(async move {
        let Ok(mut socket) = upgrading.await else { return };
        while let Ok(frame) = socket.next_frame().await {
            let back = match frame.opcode() {
                OpCode::Text => Frame::text(frame.into_payload()),
                OpCode::Binary => Frame::binary(frame.into_payload()),
                _ => continue,
            };
            if futures::SinkExt::send(&mut socket, back).await.is_err() {
                return;
            }
        }
    });
    Ok(response)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = Options::default()
        .with_compression_level(CompressionLevel::new(6))
        .with_compression_threshold(0)
        .with_limits(1 << 20, 1 << 21)
        .with_utf8();
    if std::env::args().any(|argument| argument == "--no-context-takeover") {
        options = options
            .server_no_context_takeover()
            .client_no_context_takeover()
            .with_deflate_pool(DeflatePool::new(64));
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let options = options.clone();
            let service = hyper::service::service_fn(move |request| echo(request, options.clone()));
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            tokio::spawn(serving);
        }
    })
}
