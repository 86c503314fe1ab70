//! `GET /hello` with axum.

use axum::serve::ListenerExt;
use axum::{Router, routing::get};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = endwell_benches::Options::from_args()?;
    options.runtime()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(options.listen).await?;
        println!("{}", listener.local_addr()?);
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, Router::new().route("/hello", get(|| async { "hello" }))).await?;
        Ok(())
    })
}
