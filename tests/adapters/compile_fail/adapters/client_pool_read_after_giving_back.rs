//! A response that is read after its connection went back.
#![allow(unused, unused_must_use)]
use endwell::client::{Origin, Pool, SendError};
use endwell::http::Request;
use endwell::tokio::Tcp;

fn main() {}

async fn f(pool: Pool<Tcp>, origin: &Origin, head: &Request) -> Result<(), SendError> {
    let mut received = pool.send(origin, head, "").await?;
    let again = received.finish().await;
    received.read().await; //~ E0382
    //~ twin: drop(again);
    Ok(())
}
