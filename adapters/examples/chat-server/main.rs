//! A chat server in one process: rooms, users, who is typing, and counts, for browsers and for programs. Ctrl-C ends it.
//! The example of the same name in `endwell-nats` is this one on many nodes.
//!
//! `chat-server [ADDRESS]`. The first line is the address that it listens on; `/` is the page.
//!
//! | | |
//! |---|---|
//! | `GET /ws?name=NAME` | a WebSocket, by which the page talks: see `session` |
//! | `GET /users` | the users who are here, as JSON |
//! | `GET /stats` | counts, as JSON |
//! | `POST /send` | says something in a room: `{"room": "lobby", "from": "a program", "text": "hello"}` |

mod api;
mod app;
mod presence;
mod run;
mod session;

use std::error::Error;

use endwell::hub::{Hub, InProcessBus};
use endwell::tokio::Tokio;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into());
    // A bus of its own, so that the hub keeps what was sent for those who come back.
    let (hub, node) = Hub::over(&Tokio, InProcessBus::new().connect(), run::config("this"));
    tokio::spawn(node);
    run::run(&address, hub, "this").await
}
