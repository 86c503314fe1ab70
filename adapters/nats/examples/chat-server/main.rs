//! The chat server of endwell's examples on many nodes: start it as often as you like, on one NATS. Ctrl-C ends it.
//!
//! `chat-server [ADDRESS] [--nats URL] [--node NAME]`. The first line is the address that it listens on; `/` is the page. The
//! address is `127.0.0.1:8080` by default, the URL `nats://127.0.0.1:4222`, and the name of the node its address.

#[path = "../../../examples/chat-server/api.rs"]
mod api;
#[path = "../../../examples/chat-server/app.rs"]
mod app;
#[path = "../../../examples/chat-server/presence.rs"]
mod presence;
#[path = "../../../examples/chat-server/run.rs"]
mod run;
#[path = "../../../examples/chat-server/session.rs"]
mod session;

use std::error::Error;

use endwell::hub::Hub;
use endwell::tokio::Tokio;
use endwell_nats::NatsConfig;
use lexopt::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (mut address, mut url, mut node) = (None, None, None);
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("nats") => url = Some(args.value()?.string()?),
            Long("node") => node = Some(args.value()?.string()?),
            Value(value) if address.is_none() => address = Some(value.string()?),
            Short(_) | Long(_) | Value(_) => return Err(arg.unexpected().into()),
        }
    }
    let address = address.unwrap_or_else(|| "127.0.0.1:8080".into());
    let url = url.unwrap_or_else(|| "nats://127.0.0.1:4222".into());
    let node = node.unwrap_or_else(|| address.clone());

    let nats = NatsConfig::new("chat").name(&node).connect(&url).await?;
    let (hub, driver) = Hub::over(&Tokio, nats, run::config(&node));
    tokio::spawn(driver);
    run::run(&address, hub, &node).await
}
