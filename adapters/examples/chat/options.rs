//! What the command line says.

use std::time::Duration;

use endwell::client::{Scheme, Url};

use crate::console::help;
use crate::reach::Reach;

pub(crate) const USAGE: &str = "usage: chat [options] ws://HOST/PATH
  -H, --header FIELD   one more field of the handshake, 'name: value'
      --subprotocol NAME   a subprotocol to offer; the first is preferred
      --linger SECONDS how long to wait for a message after the end of input, and after each (0.5)";

pub(crate) const STATUSES: &str = "
It ends with 0 after a clean close, with 2 for arguments that it does not know, with 130 after a second Ctrl-C, and with 1
otherwise.";

pub(crate) struct Options {
    pub(crate) url: Url,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) subprotocols: Vec<String>,
    pub(crate) linger: Duration,
}

/// Reads the command line. Ends the program on `--help`.
pub(crate) fn read() -> Result<(Options, Reach), lexopt::Error> {
    use lexopt::prelude::*;
    let mut reach = Reach::default();
    let mut url = None;
    let (mut fields, mut subprotocols) = (Vec::new(), Vec::new());
    let mut linger = Duration::from_millis(500);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('H') | Long("header") => fields.push(field(&arguments.value()?.string()?)?),
            Long("subprotocol") => subprotocols.push(arguments.value()?.string()?),
            Long("linger") => linger = arguments.value()?.parse_with(seconds)?,
            Short('h') | Long("help") => {
                help(format_args!("{USAGE}{}{STATUSES}", Reach::USAGE));
            }
            Value(text) if url.is_none() => url = Some(self::url(&text.string()?)?),
            other @ (Short(_) | Long(_) | Value(_)) => {
                let name = Reach::name(&other);
                let unexpected = other.unexpected();
                if !reach.take(&name, &mut arguments)? {
                    return Err(unexpected);
                }
            }
        }
    }
    let url = url.ok_or("expected a URL")?;
    Ok((Options { url, fields, subprotocols, linger }, reach))
}

fn field(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("expected 'name: value'")?;
    Ok((name.to_owned(), value.trim().to_owned()))
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    match text.parse() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected seconds, from 0 to 86400"),
    }
}

fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        Scheme::Ws | Scheme::Wss => Ok(url),
        Scheme::Http | Scheme::Https => Err("expected a URL of ws or wss".into()),
    }
}
