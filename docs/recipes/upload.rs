//! Uploads into files, in constant memory. A file whose upload breaks off is removed.

use std::path::PathBuf;
use std::sync::Arc;

use endwell::http::{Method, StatusCode};
use endwell::{Answered, Exchange, ServerConfig, serve, with_state};
use tokio::fs::{self, File};
use tokio::io::copy;
use tokio::net::TcpListener;

async fn upload(folder: Arc<PathBuf>, exchange: Exchange) -> std::io::Result<Answered> {
    // One segment, and not a path of the client's choice.
    let name = exchange.path().trim_start_matches('/').to_owned();
    if exchange.method() != Method::Put
        || name.is_empty()
        || name.contains(['/', '\\', '%'])
        || name.starts_with('.')
    {
        return Ok(exchange.respond(StatusCode::BAD_REQUEST, "PUT /name"));
    }
    let (_, mut body, responder) = exchange.into_parts();
    let path = folder.join(&name);
    match copy(&mut body, &mut File::create(&path).await?).await {
        Ok(length) => Ok(responder.respond(StatusCode::CREATED, format!("{length} bytes"))),
        Err(error) => {
            fs::remove_file(&path).await?;
            Err(error)
        }
    }
}

pub async fn run(listener: TcpListener, folder: PathBuf) {
    serve(listener, ServerConfig::default(), with_state(Arc::new(folder), upload)).await;
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    run(TcpListener::bind("127.0.0.1:8080").await?, "uploads".into()).await;
    Ok(())
}
