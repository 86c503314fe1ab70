//! One thread for each core, each with a runtime and a listener of its own, under one set of limits. The system spreads connections
//! over the listeners (`SO_REUSEPORT`), and no connection moves to another thread.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use endwell::http::StatusCode;
use endwell::{Answered, Exchange, Server, ServerConfig};
use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

async fn hello(exchange: Exchange) -> Answered {
    exchange.respond(StatusCode::OK, format!("hello from {:?}", thread::current().id()))
}

/// Binds one of several sockets with the same address.
pub fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

/// Serves each listener in a thread of its own, until the process ends.
pub fn run(listeners: Vec<std::net::TcpListener>) -> io::Result<()> {
    let server = Arc::new(Server::new(ServerConfig::default(), hello));
    let threads = listeners.into_iter().map(|listener| {
        let server = Arc::clone(&server);
        thread::spawn(move || {
            Builder::new_current_thread().enable_all().build()?.block_on(async {
                let _listening = server.listen(TcpListener::from_std(listener)?);
                std::future::pending::<io::Result<()>>().await
            })
        })
    });
    // All of them run before the first is waited for.
    let threads: Vec<_> = threads.collect();
    threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
}

fn main() -> io::Result<()> {
    let cores = thread::available_parallelism()?.get();
    let address = SocketAddr::from(([127, 0, 0, 1], 8080));
    run((0..cores).map(|_| bind(address)).collect::<io::Result<_>>()?)
}
