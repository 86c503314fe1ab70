//! A TCP echo on tokio with a buffer of 64 KiB for each connection, which knows no protocol.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            read => stream.write_all(&buffer[..read]).await?,
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = endwell_benches::Options::from_args()?;
    options.runtime()?.block_on(async {
        let listener = TcpListener::bind(options.listen).await?;
        println!("{}", listener.local_addr()?);
        loop {
            tokio::spawn(echo(listener.accept().await?.0));
        }
    })
}
