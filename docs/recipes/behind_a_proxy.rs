//! The addresses of clients behind a proxy that passes TCP on and sends the PROXY protocol, such as HAProxy with `send-proxy-v2`.

use std::net::{IpAddr, Ipv4Addr};

use endwell::http::StatusCode;
use endwell::proxy_protocol::ProxyProtocol;
use endwell::{Answered, Exchange, ServerConfig, serve};
use tokio::net::TcpListener;

/// The only address whose word is taken.
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn who(exchange: Exchange) -> Answered {
    let text = format!("you are {}", exchange.peer_address());
    exchange.respond(StatusCode::OK, text)
}

pub async fn run(listener: TcpListener) {
    let listener = ProxyProtocol::new(listener, |address| address == PROXY);
    // From here on the address is the client's: this allows each of them ten connections.
    let config = ServerConfig::default().admit(|_, open| open < 10);
    serve(listener, config, who).await;
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    run(TcpListener::bind("127.0.0.1:8080").await?).await;
    Ok(())
}
