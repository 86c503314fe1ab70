//! A client of a feed, over a WebSocket that is opened again when it is lost: it subscribes on each new socket, and tells of each
//! loss. It ends when the server refuses it.

use std::time::Duration;

use endwell::tokio::Tcp;
use endwell::ws::{self, ReconnectEvent, ReconnectLimits, Socket};

pub async fn run(url: String, on_price: impl Fn(&str)) {
    // Prices are soon of no use: the first attempt follows at once.
    let mut limits = ReconnectLimits::default();
    limits.first_wait = Duration::from_millis(200);
    let feed = ws::connect(url).reconnecting(Tcp).limits(limits).on_open(async |mut socket: Socket| {
        socket.send("EUR").await?;
        socket.send("USD").await?;
        Ok(socket)
    });
    let mut feed = feed.start();
    while let Some(event) = feed.receive().await {
        match event {
            ReconnectEvent::Open(_) => println!("connected"),
            ReconnectEvent::Message(message) => {
                if let Some(price) = message.as_text() {
                    on_price(price);
                }
            }
            ReconnectEvent::Lost(loss) => eprintln!("{loss}"),
        }
    }
}

#[tokio::main]
async fn main() {
    run("ws://127.0.0.1:8080/prices".to_owned(), |price| println!("{price}")).await;
}
