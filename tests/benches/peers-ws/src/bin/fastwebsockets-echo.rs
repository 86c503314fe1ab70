//! A WebSocket echo with fastwebsockets, as its example shows it.

use endwell_benches_peers_ws::{Options, Outcome};
use fastwebsockets::{FragmentCollector, OpCode, WebSocketError, upgrade};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

async fn echo(upgrading: upgrade::UpgradeFut) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(upgrading.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            _ => {}
        }
    }
}

async fn open(
    mut request: Request<Incoming>,
) -> Result<Response<http_body_util::Empty<Bytes>>, WebSocketError> {
    let (response, upgrading) = upgrade::upgrade(&mut request)?;
    tokio::spawn(echo(upgrading));
    Ok(response)
}

fn main() -> Outcome<()> {
    let options = Options::from_args()?;
    options.runtime()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(options.listen).await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), hyper::service::service_fn(open))
                .with_upgrades();
            tokio::spawn(serving);
        }
    })
}
