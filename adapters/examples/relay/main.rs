//! Many who post and few who read: what is posted to `/send` leaves over the WebSockets at `/receive`.
//!
//! Prints the address that it listens on. Ctrl-C ends it.

mod relay;

use std::io::Write;
use std::sync::Arc;

use endwell::{ServerConfig, serve};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    let mut config = ServerConfig::default();
    // So far behind a reader may be.
    config.outlet.messages = 256;
    let relay = Arc::new(relay::Relay::default());
    serve(listener, config, move |exchange| relay::handle(exchange, Arc::clone(&relay)))
        .until(async { tokio::signal::ctrl_c().await.unwrap_or(()) })
        .await;
    Ok(())
}
