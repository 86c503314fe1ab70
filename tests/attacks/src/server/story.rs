//! Prints what a handler does and is told, for the parent to read. A connection is known by its client's port.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use endwell::core::Outcome;
use endwell::{Address, Ended, EndedKind, Exchange, OnEnd};

static TELLS: AtomicBool = AtomicBool::new(false);

/// Lets stories be printed from now on.
pub fn begin() {
    TELLS.store(true, Ordering::Relaxed);
}

fn tells() -> bool {
    TELLS.load(Ordering::Relaxed)
}

fn micros() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros())
}

fn port(address: &Address) -> u16 {
    match address {
        Address::Tcp(address) => address.port(),
        _ => 0,
    }
}

/// What a handler is told. If it is dropped before it is told anything, that is what it was told.
pub struct Story {
    port: u16,
    is_open: bool,
}

impl Story {
    pub fn of(exchange: &Exchange) -> Self {
        let port = port(exchange.peer_address());
        if tells() {
            println!("began {port}");
        }
        Self { port, is_open: true }
    }

    /// The handler was told this, and goes no further.
    pub fn told(mut self, what: &str) {
        self.is_open = false;
        tell(self.port, what);
    }

    /// The port, for a task beside the handler.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        if self.is_open {
            tell(self.port, "dropped");
        }
    }
}

pub fn tell(port: u16, what: &str) {
    if tells() {
        println!("told {port} {what}");
    }
}

/// Prints the end of each connection: its slot is free right after.
pub fn on_end() -> OnEnd {
    Arc::new(|info, ended| {
        if tells() {
            println!("ended {} {} {}", port(&info.peer), micros(), short(ended));
        }
    })
}

/// How a connection ended, in few words.
pub fn short(ended: &Ended) -> String {
    match ended.kind() {
        EndedKind::Transport(error) => format!("{:?}", error.kind()),
        EndedKind::Limit(exceeded) => format!("{:?}", exceeded.limit),
        EndedKind::WebSocket(Outcome::Silent(exceeded) | Outcome::Exceeded(exceeded)) => {
            format!("{:?}", exceeded.limit)
        }
        EndedKind::WebSocket(known) => {
            let text = format!("{known:?}");
            match text.split_once(['(', '{', ' ']) {
                Some((name, _)) => name.to_owned(),
                None => text,
            }
        }
        other => {
            let text = format!("{other:?}");
            text.split_once(['(', ' ']).map_or(text.clone(), |(name, _)| name.to_owned())
        }
    }
}
