//! The client's side.

use std::io;
use std::time::Duration;

use endwell::client::{self, Pool, PoolLimits, Url};
use endwell::http::{Method, Request, StatusCode};
use endwell::tokio::Tcp;
use endwell::{ClientConfig, Exchange, ServerConfig, serve};

/// A server to talk to, on a port of the system's choice.
async fn echo() -> io::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async {
        serve(listener, ServerConfig::default(), async |mut exchange: Exchange| {
            let body = exchange.read_all(1 << 20).await?;
            Ok::<_, endwell::Ended>(exchange.respond(StatusCode::OK, body))
        })
        .await;
    });
    Ok(url)
}

/// A GET with a time limit for all of it.
#[tokio::test]
async fn get_with_a_timeout() -> Result<(), Box<dyn std::error::Error>> {
    async fn get(url: &str) -> Result<(StatusCode, endwell::Bytes), Box<dyn std::error::Error>> {
        let url = Url::parse(url)?;
        let connection = client::connect(&Tcp, &url.origin(), &ClientConfig::default()).await?;
        let head = Request::new(Method::Get, url.authority(), url.target())?;
        let mut response = connection.send(&head, "").await?;
        Ok((response.status(), response.read_all(1 << 20).await?))
    }
    let (status, body) = tokio::time::timeout(Duration::from_secs(5), get(&echo().await?)).await??;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b""[..]));
    Ok(())
}

/// Connections that are kept.
#[tokio::test]
async fn reuse_of_connections() -> Result<(), Box<dyn std::error::Error>> {
    let url = Url::parse(&echo().await?)?;
    let pool = Pool::new(Tcp, ClientConfig::default(), PoolLimits::default());
    let head = Request::new(Method::Post, url.authority(), url.target())?;
    for _ in 0..3 {
        let body = pool.send(&url.origin(), &head, "hello").await?.read_all(1 << 20).await?;
        assert_eq!(&body[..], b"hello");
    }
    assert_eq!(pool.occupancy().connections, 1);
    Ok(())
}
