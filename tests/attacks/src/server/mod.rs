//! The process of a server. It prints its addresses and then what happens, one line each, and ends with its input.

mod floor;
mod handlers;
mod hyper_peer;
mod limits;
mod story;

use std::fmt;
use std::io::{self, BufRead};
use std::net::{SocketAddr, TcpListener};
use std::str::FromStr;
use std::thread;

use endwell::{Counters, serve, tls};

use crate::Result;
use crate::runtime::{AsyncStd, Blocking, CurrentThread, Runtime, Smol, Tokio};

/// What a server is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Tokio,
    CurrentThread,
    AsyncStd,
    Smol,
    Threads,
    Hyper,
}

impl Family {
    /// The runtimes of this library.
    pub const OURS: [Self; 5] = [Self::Tokio, Self::CurrentThread, Self::AsyncStd, Self::Smol, Self::Threads];
    const ALL: [Self; 6] =
        [Self::Tokio, Self::CurrentThread, Self::AsyncStd, Self::Smol, Self::Threads, Self::Hyper];

    pub fn name(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::CurrentThread => "current-thread",
            Self::AsyncStd => "async-std",
            Self::Smol => "smol",
            Self::Threads => "threads",
            Self::Hyper => "hyper",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Family {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|family| family.name() == name);
        found.ok_or_else(|| format!("there is no server named {name}"))
    }
}

/// How a server is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub family: Family,
    /// The most connections of a listener.
    pub connections: usize,
    /// The most bytes that the connections of a listener may hold together.
    pub held_bytes: usize,
    /// The most bytes of one message.
    pub message_bytes: usize,
    /// Time limits of a second or less, so that a measurement ends soon.
    pub short: bool,
    /// The system holds little for each connection, so that what the clients have sent is in the server.
    pub narrow: bool,
    /// Print what each handler does and is told, and the end of each connection.
    pub tell: bool,
}

impl Setup {
    /// A server with the default limits.
    pub fn of(family: Family) -> Self {
        Self {
            family,
            connections: 10_000,
            held_bytes: 1 << 30,
            message_bytes: 16 << 20,
            short: false,
            narrow: false,
            tell: false,
        }
    }

    pub fn words(&self) -> [String; 7] {
        let Self { family, connections, held_bytes, message_bytes, short, narrow, tell } = self;
        [
            family.to_string(),
            connections.to_string(),
            held_bytes.to_string(),
            message_bytes.to_string(),
            short.to_string(),
            narrow.to_string(),
            tell.to_string(),
        ]
    }

    pub fn from_words(words: &[&str]) -> Result<Self> {
        let [family, connections, held_bytes, message_bytes, short, narrow, tell] = words else {
            return Err("a server needs seven words".into());
        };
        Ok(Self {
            family: family.parse()?,
            connections: connections.parse()?,
            held_bytes: held_bytes.parse()?,
            message_bytes: message_bytes.parse()?,
            short: short.parse()?,
            narrow: narrow.parse()?,
            tell: tell.parse()?,
        })
    }
}

pub fn run(setup: &Setup) -> Result<()> {
    match setup.family {
        Family::Tokio => on::<Tokio>(setup),
        Family::CurrentThread => on::<CurrentThread>(setup),
        Family::AsyncStd => on::<AsyncStd>(setup),
        Family::Smol => on::<Smol>(setup),
        Family::Threads => on::<Blocking>(setup),
        Family::Hyper => {
            let (plain, floor) = (bind(setup)?, floor::start()?);
            println!("{} {} {floor}", plain.local_addr()?, plain.local_addr()?);
            thread::spawn(|| commands(&Counters::default()));
            hyper_peer::run(plain)
        }
    }
}

fn on<R: Runtime>(setup: &Setup) -> Result<()> {
    let (plain, secure, floor) = (bind(setup)?, bind(setup)?, floor::start()?);
    println!("{} {} {floor}", plain.local_addr()?, secure.local_addr()?);
    let identity = (std::env::var("ATTACKS_CERTIFICATE")?, std::env::var("ATTACKS_KEY")?);
    let identity = tls::server_config(identity.0.as_bytes(), identity.1.as_bytes())?;
    if setup.tell {
        story::begin();
    }
    let config = limits::config(setup);
    R::run(async move {
        let secure =
            serve(tls::TlsListener::new(R::listen(secure), identity), config.clone(), handlers::handle::<R>);
        R::spawn(async move { drop(secure.await) });
        let plain = serve(R::listen(plain), config, handlers::handle::<R>);
        let counters = plain.counters();
        thread::spawn(move || commands(&counters));
        plain.await;
    });
    Ok(())
}

fn bind(setup: &Setup) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    if setup.narrow {
        socket.set_recv_buffer_size(64 << 10)?;
    }
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(4096)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Answers the parent's questions about the plain listener, until the parent is gone.
fn commands(counters: &Counters) {
    for line in io::stdin().lock().lines() {
        if line.is_err() {
            break;
        }
        let failed = counters.accept_errors();
        println!("counters {} {} {failed}", counters.accepted(), counters.ended());
    }
    std::process::exit(0);
}
