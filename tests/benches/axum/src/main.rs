//! The application of the tests, which has layers of tower-http, served by axum or by endwell.

use std::net::SocketAddr;

use axum::Router;
use axum::serve::ListenerExt;
use endwell::{ServerConfig, serve, with_service};

#[allow(dead_code, reason = "shared with the tests, of which it needs one part")]
#[path = "../../../adapters/tests/tower/app.rs"]
mod app;

mod support {
    /// What one of its routes answers with.
    pub(crate) fn pattern(len: usize) -> Vec<u8> {
        vec![b'a'; len]
    }
}

/// `--listen ADDR`, `--server axum | endwell`.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use lexopt::prelude::*;
    let (mut listen, mut server) = (SocketAddr::from(([127, 0, 0, 1], 0)), String::from("axum"));
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("listen") => listen = arguments.value()?.parse()?,
            Long("server") => server = arguments.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        println!("{}", listener.local_addr()?);
        let app = app::app(Router::new());
        match &*server {
            "axum" => axum::serve(listener.tap_io(|stream| drop(stream.set_nodelay(true))), app).await?,
            "endwell" => drop(serve(listener, ServerConfig::default(), with_service(app)).await),
            other => return Err(format!("expected axum or endwell, got {other}").into()),
        }
        Ok(())
    })
}
