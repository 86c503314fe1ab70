//! Lock-out: is a newcomer served while others hold all that the server bounds?

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::client::{self, LONG};
use crate::holders::{Holder, fill};
use crate::options::Options;
use crate::process::Server;
use crate::server::{Family, Setup};
use crate::table;

const MIB: usize = 1 << 20;
/// Newcomers that ask one after the other.
const NEWCOMERS: usize = 3;
const HANDSHAKES: usize = 1024;
const IDLE: usize = 100;

/// A situation: its name, and what newcomers see in it.
type Situation = (&'static str, fn(Family, &Options) -> Result<Vec<String>>);
const SITUATIONS: [Situation; 3] =
    [("half messages", half_messages), ("silent TLS", silent_tls), ("idle connections", idle)];

pub fn run(options: &Options) -> Result<()> {
    println!("## Lock-out\n");
    println!(
        "How long {NEWCOMERS} newcomers, one after the other, wait for their first answer, in milliseconds. \"half \
         messages\": 80 WebSockets hold 1.2 times `held_bytes` ({} MiB) in messages that they go on with by 14 bytes, 10 \
         times a second. \"silent TLS\": {HANDSHAKES} connections to a TLS listener that send nothing; the newcomer shakes \
         hands and asks. \"idle connections\": a listener of {IDLE} connections has {IDLE} kept-alive ones that do \
         nothing. Default limits otherwise. Load at the start: {}.\n",
        bound(options) / MIB,
        table::load(),
    );
    let mut rows = Vec::new();
    for (name, situation) in SITUATIONS {
        if !options.wants(name) {
            continue;
        }
        for family in options.families().into_iter().filter(|&family| family != Family::Hyper) {
            let waits = situation(family, options)?;
            rows.push(vec![name.to_owned(), family.to_string(), waits.join(", ")]);
        }
    }
    table::print(&["situation", "runtime", "newcomers"], &rows);
    println!("Load at the end: {}.\n", table::load());
    Ok(())
}

fn bound(options: &Options) -> usize {
    if options.full { 1024 * MIB } else { 16 * MIB }
}

fn show(waited: Result<Duration, String>) -> String {
    waited.map_or_else(|error| error, table::millis)
}

fn half_messages(family: Family, options: &Options) -> Result<Vec<String>> {
    let message = bound(options) / 64;
    let setup =
        Setup { held_bytes: bound(options), message_bytes: message, narrow: true, ..Setup::of(family) };
    let server = Server::start(&setup)?;
    let mut holders = Vec::new();
    for _ in 0..80 {
        // The last ones may find the server full.
        holders.extend(Holder::new(server.plain, message).ok());
    }
    fill(&mut holders, message / 100 * 98, Duration::from_secs(2))?;
    let address = server.plain;
    let newcomers = thread::spawn(move || {
        let waits = (0..NEWCOMERS).map(|_| show(client::newcomer(address, Duration::from_secs(5))));
        waits.collect::<Vec<_>>()
    });
    while !newcomers.is_finished() {
        holders.iter_mut().for_each(|holder| {
            holder.go_on(14);
        });
        thread::sleep(Duration::from_millis(100));
    }
    newcomers.join().map_err(|_| "a newcomer panicked".into())
}

fn silent_tls(family: Family, _: &Options) -> Result<Vec<String>> {
    let server = Server::start(&Setup::of(family))?;
    let start = Instant::now();
    let silent: Vec<_> = (0..HANDSHAKES).map(|_| client::connect(server.secure)).collect::<Result<_, _>>()?;
    // The server has the time to accept them all, and none of them to be over.
    thread::sleep(Duration::from_secs(1).saturating_sub(start.elapsed()));
    let waits = (0..NEWCOMERS).map(|_| show(client::secure_newcomer(server.secure, LONG))).collect();
    drop(silent);
    Ok(waits)
}

fn idle(family: Family, _: &Options) -> Result<Vec<String>> {
    let server = Server::start(&Setup { connections: IDLE, ..Setup::of(family) })?;
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        let mut socket = client::connect(server.plain)?;
        socket.write_all(client::get("/hello").as_bytes())?;
        client::read_head(&mut socket)?;
        idle.push(socket);
    }
    let waits =
        (0..NEWCOMERS).map(|_| show(client::newcomer(server.plain, Duration::from_secs(5)))).collect();
    drop(idle);
    Ok(waits)
}
