//! JSON in and out, with serde. What cannot be read is answered with 400, and a body above the bound with 413.

use endwell::http::{Field, Response, StatusCode};
use endwell::{Answered, Exchange, ServerConfig, serve};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

const LIMIT: usize = 64 << 10;
const JSON: Field<'_> = Field::from_static("content-type", "application/json");

#[derive(Deserialize)]
struct Order {
    item: String,
    count: u32,
}

#[derive(Serialize)]
struct Receipt {
    text: String,
}

async fn order(mut exchange: Exchange) -> anyhow::Result<Answered> {
    let body = exchange.read_all(LIMIT).await?;
    let order: Order = match serde_json::from_slice(&body) {
        Ok(order) => order,
        Err(error) => return Ok(exchange.respond(StatusCode::BAD_REQUEST, error.to_string())),
    };
    let receipt = Receipt { text: format!("{} times {}", order.count, order.item) };
    let head = Response::new(StatusCode::OK).with(JSON);
    Ok(exchange.respond(head, serde_json::to_vec(&receipt)?))
}

pub async fn run(listener: TcpListener) {
    serve(listener, ServerConfig::default(), order).await;
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    run(TcpListener::bind("127.0.0.1:8080").await?).await;
    Ok(())
}
