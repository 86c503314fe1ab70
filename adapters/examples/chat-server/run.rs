//! Runs the server over a hub, whatever its bus is.

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use endwell::hub::{Drain, Hub, HubConfig};
use endwell::{Server, ServerConfig, tokio::Tokio, with_state};

use crate::app::App;
use crate::{api, presence};

/// What the hub of a chat needs, on the node of this name.
pub(crate) fn config(node: &str) -> HubConfig {
    let mut config = HubConfig::default();
    config.node = node.into();
    config.topic_events = true;
    config
}

/// Serves until Ctrl-C.
pub(crate) async fn run(address: &str, hub: Hub, node: &str) -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    let app = Arc::new(App::new(hub, node));
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
