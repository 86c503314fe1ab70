//! A chat server in one process: rooms, users, who is typing, and counts, for browsers and for programs. Ctrl-C ends it.
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
mod history;
mod presence;
mod session;

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use app::App;
use endwell::hub::Drain;
use endwell::{Server, ServerConfig, tokio::Tokio, with_state};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    let app = Arc::new(App::default());
    let server = Server::new(ServerConfig::default(), with_state(Arc::clone(&app), api::route));
    let _listening = server.listen(listener);
    tokio::spawn(presence::tell(Arc::clone(&app)));
    tokio::spawn(presence::count(Arc::clone(&app)));

    tokio::signal::ctrl_c().await?;
    let drain = Drain { within: Duration::from_secs(5), spread: Duration::from_secs(1) };
    let report = app.hub.drain(&Tokio, drain).await;
    writeln!(io::stdout(), "{report}")?;
    writeln!(io::stdout(), "{}", server.shutdown(Duration::from_secs(5)).await)?;
    Ok(())
}
