//! Memory: what a server holds while many clients send most of a large message, and after they are gone.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::attack::Kind;
use crate::client;
use crate::holders::{Holder, fill};
use crate::options::Options;
use crate::process::{Process, Server};
use crate::server::{Family, Setup};
use crate::table;

const MIB: usize = 1 << 20;

pub fn run(options: &Options) -> Result<()> {
    println!("## Memory\n");
    println!(
        "WebSockets that each send nine tenths of a message, to a server with a bound on what all hold (`held_bytes`). \
         Memory of the server's process in MiB: before, at its peak, 1 s after the clients have left, and {} s after. \
         Load at the start: {}.\n",
        options.after.as_secs(),
        table::load(),
    );
    let over = if options.full { (500, 16 * MIB, 1024 * MIB) } else { (64, MIB, 16 * MIB) };
    // The first exceed the bound. The others stay within it, in buffers that an allocator likes to keep.
    for (name, (clients, message, bound)) in [("over", over), ("within", (1000, MIB / 2, 1024 * MIB))] {
        if !options.wants(name) {
            continue;
        }
        let (kib, mib) = (message / 1024, bound / MIB);
        println!("### {name} the bound: {clients} messages of {kib} KiB, a bound of {mib} MiB\n");
        let mut rows = Vec::new();
        for family in options.families().into_iter().filter(|&family| family != Family::Hyper) {
            let setup =
                Setup { held_bytes: bound, message_bytes: message, narrow: true, ..Setup::of(family) };
            rows.push(measure(&setup, clients, options.after)?);
        }
        let head =
            ["runtime", "sent", "before", "peak", "1 s after", "later", "newcomer meanwhile", "clients"];
        table::print(&head, &rows);
    }
    if options.wants("bombs") {
        println!("### bombs: {} attackers for 3 s\n", options.clients);
        let mut rows = Vec::new();
        for family in options.families().into_iter().filter(|&family| family != Family::Hyper) {
            rows.push(bombs(family, options)?);
        }
        table::print(&["runtime", "before", "peak", "1 s after", "later"], &rows);
    }
    println!("Load at the end: {}.\n", table::load());
    Ok(())
}

/// Compressed messages of 16 KB that are 16 MiB decompressed, as for fair turns.
fn bombs(family: Family, options: &Options) -> Result<Vec<String>> {
    let server = Server::start(&Setup::of(family))?;
    client::newcomer(server.plain, client::LONG)?;
    let before = server.resident()?;
    let (kind, clients) = (Kind::Bombs.name(), options.clients.to_string());
    let attacking = Process::start(["attack", kind, &server.plain.to_string(), "--clients", &clients])?;
    attacking.expect_line()?;
    thread::sleep(Duration::from_secs(3));
    drop(attacking);
    let (soon, later) = afterwards(&server, options.after)?;
    let peak = server.peak()?;
    let memory = [before, peak, soon, later].map(|mib| format!("{mib:.0}"));
    Ok([family.to_string()].into_iter().chain(memory).collect())
}

/// The memory that the server holds 1 s after the clients have left, and at the end of `after`.
fn afterwards(server: &Server, after: Duration) -> Result<(f64, f64)> {
    thread::sleep(Duration::from_secs(1));
    let soon = server.resident()?;
    thread::sleep(after.saturating_sub(Duration::from_secs(1)));
    Ok((soon, server.resident()?))
}

fn measure(setup: &Setup, clients: usize, after: Duration) -> Result<Vec<String>> {
    let mut row = vec![setup.family.to_string()];
    let server = Server::start(setup)?;
    // Allocators and runtimes have what they need from the start.
    client::newcomer(server.plain, client::LONG)?;
    let before = server.resident()?;
    let mut holders = Vec::new();
    let mut fates = BTreeMap::new();
    for _ in 0..clients {
        match Holder::new(server.plain, setup.message_bytes) {
            Ok(holder) => holders.push(holder),
            Err(error) => *fates.entry(format!("refused ({error})")).or_insert(0) += 1,
        }
    }
    let target = setup.message_bytes / 10 * 9;
    fill(&mut holders, target, Duration::from_secs(3))?;
    thread::sleep(Duration::from_secs(1));
    let newcomer = client::newcomer(server.plain, Duration::from_secs(2));
    // A server that sheds some has the time for it.
    thread::sleep(Duration::from_secs(1));
    fill(&mut holders, target, Duration::from_secs(1))?;
    holders.iter_mut().for_each(|holder| {
        holder.go_on(0);
    });
    let peak = server.peak()?;
    let sent: usize = holders.iter().map(Holder::sent).sum();
    for holder in holders {
        *fates.entry(holder.fate(target)).or_insert(0) += 1;
    }
    let (soon, later) = afterwards(&server, after)?;
    row.push((sent / MIB).to_string());
    row.extend([before, peak, soon, later].map(|mib| format!("{mib:.0}")));
    row.push(newcomer.map_or_else(|error| error, |time| format!("{} ms", table::millis(time))));
    let fates: Vec<String> = fates.iter().map(|(fate, count)| format!("{count} {fate}")).collect();
    row.push(fates.join(", "));
    Ok(row)
}
