//! The arguments of the program.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use lexopt::prelude::*;

use crate::Result;
use crate::attack::Kind;
use crate::server::{Family, Setup};

pub const USAGE: &str = "\
usage: attacks leave | thousands | turns | memory | lock-out | all [OPTION]...
  --runtime NAME   only this server, repeatable: tokio, current-thread, async-std, smol, threads, hyper
  --only WORD      only rows whose name contains WORD, repeatable
  --seconds N      how long each latency is measured (5)
  --clients N      attackers at once (8)
  --count N        clients that leave, for `thousands` (10000)
  --patience N     seconds after which `leave` calls a slot held (8); TCP keep-alive takes 120
  --after N        seconds from the end of a flood to the last look at the memory (30)
  --full           the memory of a production server: bounds of 1 GiB, 500 clients with 16 MiB each";

pub enum Command {
    Leave,
    Thousands,
    Turns,
    Memory,
    LockOut,
    All,
    /// Internal: the process of a server.
    Server(Setup),
    /// Internal: the process of the attackers.
    Attack {
        kind: Kind,
        address: SocketAddr,
    },
    /// Internal: the process of the honest client.
    Honest {
        server: SocketAddr,
        floor: SocketAddr,
        hyper: bool,
    },
}

pub struct Options {
    pub runtimes: Vec<Family>,
    pub only: Vec<String>,
    pub seconds: Duration,
    pub clients: usize,
    pub count: usize,
    pub patience: Duration,
    pub after: Duration,
    pub full: bool,
}

impl Options {
    /// True if a row of this name was asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| name.contains(word.as_str()))
    }

    /// The servers that were asked for; those made with this library, if none was named.
    pub fn families(&self) -> Vec<Family> {
        if self.runtimes.is_empty() { Family::OURS.to_vec() } else { self.runtimes.clone() }
    }
}

pub fn read() -> Result<(Command, Options)> {
    let mut options = Options {
        runtimes: Vec::new(),
        only: Vec::new(),
        seconds: Duration::from_secs(5),
        clients: 8,
        count: 10_000,
        patience: Duration::from_secs(8),
        after: Duration::from_secs(30),
        full: false,
    };
    let mut words: Vec<OsString> = Vec::new();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("runtime") => options.runtimes.push(arguments.value()?.parse()?),
            Long("only") => options.only.push(arguments.value()?.string()?),
            Long("seconds") => options.seconds = Duration::from_secs_f64(arguments.value()?.parse()?),
            Long("clients") => options.clients = arguments.value()?.parse()?,
            Long("count") => options.count = arguments.value()?.parse()?,
            Long("patience") => options.patience = Duration::from_secs(arguments.value()?.parse()?),
            Long("after") => options.after = Duration::from_secs(arguments.value()?.parse()?),
            Long("full") => options.full = true,
            Value(word) => words.push(word),
            Short(_) | Long(_) => return Err(format!("{}\n{USAGE}", argument.unexpected()).into()),
        }
    }
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let command = match words[..] {
        ["leave"] => Command::Leave,
        ["thousands"] => Command::Thousands,
        ["turns"] => Command::Turns,
        ["memory"] => Command::Memory,
        ["lock-out"] => Command::LockOut,
        ["all"] => Command::All,
        ["server", ref setup @ ..] => Command::Server(Setup::from_words(setup)?),
        ["attack", kind, address] => Command::Attack { kind: kind.parse()?, address: address.parse()? },
        ["honest", server, floor, family] => {
            Command::Honest { server: server.parse()?, floor: floor.parse()?, hyper: family == "hyper" }
        }
        _ => return Err(USAGE.into()),
    };
    Ok((command, options))
}
