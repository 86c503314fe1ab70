//! A connection that went back to its pool, and may be another's.
#![allow(unused, unused_must_use)]
use endwell::client::{Origin, Pool, PoolError};
use endwell::http::Request;
use endwell::tokio::Tcp;

fn main() {}

async fn f(pool: Pool<Tcp>, origin: &Origin, head: &Request) -> Result<(), PoolError> {
    let connection = pool.connection(origin).await?;
    drop(connection);
    let response = connection.send(head, "late"); //~ E0382
    //~ twin: let response = pool.connection(origin).await?.send(head, "late");
    Ok(())
}
