//! What the command line says.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use endwell::ServerConfig;
use endwell::ws::{Deflate, Origins};

use crate::console::help;

pub(crate) const USAGE: &str = "usage: serve [options]
  --listen ADDR            where to listen, port 0 for any (127.0.0.1:8080)
  --runtime NAME           tokio, async-std, smol or blocking (tokio)
  --max-body BYTES         the largest body that is taken (1 GiB)
  --max-message BYTES      the largest WebSocket message that is taken (16 MiB)
  --max-fragments N        the most fragments of one message that are taken (100000)
  --max-connections N      connections at one time (10000)
  --backlog N              connections that wait to be accepted (1024)
  --origin same|any|LIST   pages that may open a WebSocket: LIST is origins with commas between (same)
  --ping SECONDS           the time between keep-alive pings (20)
  --tls-cert FILE          speak TLS: the certificate, and those between it and the root, in PEM
  --tls-key FILE           its private key, in PEM
  --deflate                compress WebSocket messages, if the client offers it; with it:
  --deflate-level 1..9     from fast to small (6)
  --deflate-least BYTES    shorter messages are sent plain (256)
  --no-context-takeover    compress each message by itself, and keep nothing between them
It prints its address, and ends with 0 after Ctrl-C, with 130 after a second one, with 2 for arguments that it does not
know, and with 1 if it cannot serve or cannot print.";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    Tokio,
    AsyncStd,
    Smol,
    /// A thread for each connection.
    Blocking,
}

pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) runtime: Runtime,
    pub(crate) backlog: i32,
    pub(crate) origins: Origins,
    pub(crate) config: ServerConfig,
    /// Files with certificates and a key.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
}

/// Reads the command line. Ends the program on `--help`.
pub(crate) fn read() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
        runtime: Runtime::Tokio,
        backlog: 1024,
        origins: Origins::Same,
        config: ServerConfig::default(),
        tls: None,
    };
    let (mut certificate, mut key) = (None, None);
    let config = &mut options.config;
    // Programs that test servers send megabytes in pieces of 64 bytes.
    config.ws.fragments = 100_000;
    let (mut deflates, mut deflate) = (false, Deflate::default());
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("listen") => options.listen = arguments.value()?.parse()?,
            Long("runtime") => {
                options.runtime = arguments.value()?.parse_with(|name| match name {
                    "tokio" => Ok(Runtime::Tokio),
                    "async-std" => Ok(Runtime::AsyncStd),
                    "smol" => Ok(Runtime::Smol),
                    "blocking" => Ok(Runtime::Blocking),
                    _ => Err("expected tokio, async-std, smol or blocking"),
                })?;
            }
            Long("max-body") => config.http.body_bytes = arguments.value()?.parse()?,
            Long("max-message") => {
                let bytes = arguments.value()?.parse()?;
                config.ws.message_bytes = bytes;
                config.ws.frame_bytes = bytes;
            }
            Long("max-fragments") => config.ws.fragments = arguments.value()?.parse()?,
            Long("max-connections") => config.connections = arguments.value()?.parse()?,
            Long("backlog") => options.backlog = arguments.value()?.parse()?,
            Long("origin") => options.origins = origins(&arguments.value()?.string()?),
            Long("ping") => config.ws.ping_interval = Some(Duration::from_secs_f64(seconds(&mut arguments)?)),
            Long("tls-cert") => certificate = Some(arguments.value()?.into()),
            Long("tls-key") => key = Some(arguments.value()?.into()),
            Long("deflate") => deflates = true,
            Long("deflate-level") => deflate.level = arguments.value()?.parse()?,
            Long("deflate-least") => deflate.least = arguments.value()?.parse()?,
            Long("no-context-takeover") => (deflate.sent_context, deflate.received_context) = (0, None),
            Long("help") | Short('h') => {
                help(USAGE);
            }
            other @ (Short(_) | Long(_) | Value(_)) => return Err(other.unexpected()),
        }
    }
    config.deflate = deflates.then_some(deflate);
    options.tls = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => return Err("--tls-cert needs --tls-key".into()),
        (None, Some(_)) => return Err("--tls-key needs --tls-cert".into()),
    };
    Ok(options)
}

/// A number of seconds that a clock can count.
fn seconds(arguments: &mut lexopt::Parser) -> Result<f64, lexopt::Error> {
    use lexopt::ValueExt;
    arguments.value()?.parse_with(|text| match text.parse() {
        Ok(seconds) if (0.001..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected seconds, from 0.001 to 86400"),
    })
}

fn origins(text: &str) -> Origins {
    match text {
        "same" => Origins::Same,
        "any" => Origins::Any,
        list => Origins::List(list.split(',').map(|origin| origin.trim().into()).collect()),
    }
}
