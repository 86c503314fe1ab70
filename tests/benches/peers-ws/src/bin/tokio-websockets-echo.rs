//! A WebSocket echo with tokio-websockets: `--mode batch` flushes when no message is left to read.

use endwell_benches_peers_ws::{Options, Outcome, echo};
use tokio::net::{TcpListener, TcpStream};
use tokio_websockets::{Message, ServerBuilder};

async fn serve(stream: TcpStream, is_batch: bool) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let (_, socket) = ServerBuilder::new().accept(stream).await?;
    echo(socket, is_batch, |message: Message| (message.is_text() || message.is_binary()).then_some(message))
        .await
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
