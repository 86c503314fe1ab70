//! An echo on async-std: of bytes with a buffer of 64 KiB for each connection, or of WebSocket messages with async-tungstenite
//! (`--mode plain`, and `--mode batch`, which flushes when no message is left to read).

use async_std::io::{ReadExt, WriteExt};
use async_std::net::{TcpListener, TcpStream};
use async_tungstenite::tungstenite::Message;
use endwell_benches_peers_ws::{Options, Outcome, echo};

async fn serve(mut stream: TcpStream, mode: &str) -> Outcome<()> {
    stream.set_nodelay(true)?;
    if !mode.is_empty() {
        let socket = async_tungstenite::accept_async(stream).await?;
        let answer = |message: Message| (message.is_text() || message.is_binary()).then_some(message);
        return echo(socket, mode == "batch", answer).await;
    }
    let mut buffer = vec![0; 64 << 10];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            read => stream.write_all(&buffer[..read]).await?,
        }
    }
}

fn main() -> Outcome<()> {
    let options = Options::from_args()?;
    async_std::task::block_on(async {
        let listener = TcpListener::bind(options.listen).await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            let mode = options.mode.clone();
            async_std::task::spawn(async move { serve(stream, &mode).await });
        }
    })
}
