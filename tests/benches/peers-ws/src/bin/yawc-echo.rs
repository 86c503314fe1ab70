//! A WebSocket echo with yawc, without compression: `--mode batch` flushes when no frame is left to read.

use std::convert::Infallible;

use endwell_benches_peers_ws::{Options, Outcome};
use futures::{FutureExt, SinkExt, StreamExt};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use yawc::{Frame, OpCode, WebSocket};

type Answer = Response<http_body_util::Empty<Bytes>>;

async fn echo(mut request: Request<Incoming>, is_batch: bool) -> Result<Answer, Infallible> {
    let options = yawc::Options::default().without_compression().with_limits(16 << 20, 32 << 20).with_utf8();
    let (response, upgrading) = WebSocket::upgrade_with_options(&mut request, options).expect("a handshake");
    tokio::spawn(async move {
        let Ok(mut socket) = upgrading.await else { return };
        loop {
            let next = match socket.next().now_or_never() {
                Some(next) => next,
                None => {
                    if is_batch && socket.flush().await.is_err() {
                        return;
                    }
                    socket.next().await
                }
            };
            let Some(frame) = next else { return };
            let back = match frame.opcode() {
                OpCode::Text => Frame::text(frame.into_payload()),
                OpCode::Binary => Frame::binary(frame.into_payload()),
                _ => continue,
            };
            let sent = if is_batch { socket.feed(back).await } else { socket.send(back).await };
            if sent.is_err() {
                return;
            }
        }
    });
    Ok(response)
}

fn main() -> Outcome<()> {
    let options = Options::from_args()?;
    let is_batch = options.mode == "batch";
    options.runtime()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(options.listen).await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let service = hyper::service::service_fn(move |request| echo(request, is_batch));
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            tokio::spawn(serving);
        }
    })
}
