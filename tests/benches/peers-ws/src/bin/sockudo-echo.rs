//! A WebSocket echo with sockudo-ws: `--mode batch` flushes when no message is left to read.

use bytes::BytesMut;
use endwell_benches_peers_ws::{Options, Outcome, echo};
use sockudo_ws::handshake::{build_response, generate_accept_key, parse_request};
use sockudo_ws::protocol::Message;
use sockudo_ws::{Config, WebSocketStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn serve(mut stream: TcpStream, is_batch: bool) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let mut head = BytesMut::with_capacity(4096);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
        if let Some((request, _)) = parse_request(&head)? {
            let response = build_response(&generate_accept_key(request.key), None, None);
            stream.write_all(&response).await?;
            break;
        }
    }
    let socket = WebSocketStream::server(stream, Config::default());
    let answer = |message| matches!(message, Message::Text(_) | Message::Binary(_)).then_some(message);
    echo(socket, is_batch, answer).await
}

fn main() -> Outcome<()> {
    let options = Options::from_args()?;
    let is_batch = options.mode == "batch";
    options.runtime()?.block_on(async {
        let listener = TcpListener::bind(options.listen).await?;
        println!("{}", listener.local_addr()?);
        loop {
            tokio::spawn(serve(listener.accept().await?.0, is_batch));
        }
    })
}
