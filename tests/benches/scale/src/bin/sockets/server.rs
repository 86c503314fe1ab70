//! A process with a server: an echo, every limit but the number of connections at its default.

use std::io::BufRead;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use endwell::ws::Close;
use endwell::{Answered, Ended, Exchange, Server, ServerConfig};
use endwell_bench_scale::{cpu, resident};
use tokio::net::TcpSocket;

use crate::Outcome;

async fn echo(exchange: Exchange) -> Result<Answered, Ended> {
    let acceptance = exchange.acceptance();
    let mut socket = match exchange.accept(acceptance) {
        Ok(socket) => socket,
        Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), "")),
    };
    while let Some(message) = socket.receive_data().await {
        socket.send(message).await?;
    }
    Err(socket.close(Close::EMPTY).await)
}

pub(crate) fn run(address: Ipv4Addr, ping: Duration) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut lines = std::io::stdin().lock().lines();
    let port = lines.next().ok_or("no port")??.parse()?;
    let listener = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind((address, port).into())?;
        socket.listen(4096)
    })?;
    println!("{}", listener.local_addr()?.port());
    let ended = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&ended);
    let mut config = ServerConfig::default();
    (config.connections, config.ws.ping_interval) = (20_000, Some(ping));
    let config = config.on_end(move |_, _| {
        count.fetch_add(1, Relaxed);
    });
    let mut server = Some(Server::new(config, echo));
    let _within = runtime.enter();
    let _listening = server.as_ref().map(|server| server.listen(listener));
    for line in lines {
        match &*line? {
            "measure" => println!("{} {}", resident(), cpu().as_nanos()),
            "close" => {
                let server = server.take().ok_or("closed already")?;
                let report = runtime.block_on(server.shutdown(Duration::from_secs(60)));
                println!("{} {}", ended.load(Relaxed), report.late.len());
            }
            _ => return Err("an unknown line".into()),
        }
    }
    Ok(())
}
