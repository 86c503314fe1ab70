//! The leaving table: how long a client that is gone keeps its slot, by how it left and what its handler does.

use std::collections::HashMap;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::Result;
use crate::client::{self, Drained, LONG};
use crate::options::Options;
use crate::process::Server;
use crate::server::{Family, Setup};
use crate::table;

/// The time from a FIN to the reset behind it.
const BEFORE_RESET: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    Fin,
    Reset,
    FinThenReset,
    Silence,
    TlsCut,
    HalfClose,
}

const WAYS: [(Way, &str, &str); 6] = [
    (Way::Fin, "FIN", "the socket is closed, as by a closed tab"),
    (Way::Reset, "RST", "the socket is closed with a reset"),
    (Way::FinThenReset, "FIN then RST", "the write side ends; the reset comes 0.1 s later"),
    (Way::Silence, "silence", "as if the cable was cut: nothing is acknowledged any more"),
    (Way::TlsCut, "TLS cut", "over TLS: the socket is closed without a close_notify"),
    (Way::HalfClose, "half-close", "the write side ends; the client waits and reads on"),
];

enum Begin {
    Get,
    RequestWriter,
    Upgrade,
    WebSocket,
}

/// What the handlers do: their path, how the client begins, and the name in the table.
const HANDLERS: [(&str, Begin, &str); 12] = [
    ("/computes", Begin::Get, "computes, yields"),
    ("/sleeps", Begin::Get, "sleeps"),
    ("/long-polls", Begin::Get, "long-polls"),
    ("/asks", Begin::Get, "long-polls, asks if gone"),
    ("/streams", Begin::Get, "streams a response"),
    ("/reads", Begin::RequestWriter, "reads a body"),
    ("/upgraded", Begin::Upgrade, "holds an Upgraded"),
    ("/upgraded-elsewhere", Begin::Upgrade, "Upgraded in a task, returns"),
    ("/receives", Begin::WebSocket, "WebSocket: receives"),
    ("/sends-rarely", Begin::WebSocket, "WebSocket: waits, receives not"),
    ("/sends-often", Begin::WebSocket, "WebSocket: sends, receives not"),
    ("/outlets", Begin::WebSocket, "WebSocket: outlets elsewhere"),
];

/// One cell: a client, and what became of its connection.
struct Cell {
    handler: &'static str,
    way: Way,
    /// Kept while the client stays: for ever if it is silent, until the end of the stream if it half-closes.
    socket: Option<TcpStream>,
    left: Duration,
    told: Vec<String>,
    ended: Option<(Duration, String)>,
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

pub fn run(options: &Options) -> Result<()> {
    println!("## Leaving\n");
    println!(
        "Seconds from the leaving (its first step) to the end of the connection, when its slot is free. \"held\": not \
         within {} s. All cells of a runtime at once, limits of 1 s or less (Upgraded: 3 s). \"silence\" and \
         \"half-close\" end by such limits where there are any. Load at the start: {}.\n",
        options.patience.as_secs(),
        table::load(),
    );
    let families: Vec<Family> =
        options.families().into_iter().filter(|&family| family != Family::Hyper).collect();
    // All clients of a runtime leave at once; the runtimes take turns, since some handlers compute.
    let mut columns = Vec::new();
    for &family in &families {
        columns.push(measure(family, options.patience)?);
    }
    let mut held = 0;
    for (way, name, meaning) in WAYS {
        if !options.wants(name) {
            continue;
        }
        println!("### {name}: {meaning}\n");
        let mut rows = Vec::new();
        for (path, _, handler) in &HANDLERS {
            let cells: Vec<_> = columns.iter().filter_map(|column| column.get(&(way, *path))).collect();
            let mut row = vec![(*handler).to_owned()];
            row.extend(cells.iter().map(|cell| cell.time()));
            held += cells.iter().filter(|cell| cell.ended.is_none()).count();
            row.push(ends(&families, &cells));
            rows.push(row);
        }
        let names = families.iter().map(|family| family.name());
        let head = ["handler"].into_iter().chain(names).chain(["how it ended, [what the handler was told]"]);
        table::print(&head.collect::<Vec<_>>(), &rows);
    }
    println!("Held: {held}. Load at the end: {}.\n", table::load());
    Ok(())
}

/// How the connections of a row ended, and what their handlers were told: once, if it was the same on every runtime.
fn ends(families: &[Family], cells: &[&Cell]) -> String {
    let ends: Vec<String> = cells.iter().map(|cell| cell.end()).collect();
    match ends.first() {
        Some(first) if ends.iter().all(|end| end == first) => first.clone(),
        _ => {
            let each = families.iter().zip(&ends).map(|(family, end)| format!("{family}: {end}"));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

fn measure(family: Family, patience: Duration) -> Result<HashMap<(Way, &'static str), Cell>> {
    let mut server = Server::start(&Setup { short: true, tell: true, ..Setup::of(family) })?;
    let mut cells = HashMap::new();
    for (path, begin, _) in &HANDLERS {
        for (way, _, _) in WAYS {
            let (port, cell) = start(&server, path, begin, way)?;
            cells.insert(port, cell);
        }
    }
    let mut began = 0;
    while began < cells.len() {
        let line = server.process.line(LONG)?.ok_or("handlers that do not begin")?;
        began += usize::from(line.starts_with("began"));
    }
    // What the server sent is on its way: with unread bytes, a close would be a reset.
    thread::sleep(Duration::from_millis(200));
    for cell in cells.values_mut() {
        cell.leave()?;
    }
    thread::sleep(BEFORE_RESET);
    for cell in cells.values_mut().filter(|cell| cell.way == Way::FinThenReset) {
        if let Some(socket) = cell.socket.take() {
            client::reset(socket);
        }
    }
    let end = Instant::now() + patience;
    while Instant::now() < end && cells.values().any(|cell| cell.ended.is_none()) {
        if let Some(line) = server.process.line(Duration::from_millis(20))? {
            note(&mut cells, &line)?;
        } else {
            cells.values_mut().for_each(Cell::read_on);
        }
    }
    // What handlers are told may come after the end.
    while let Some(line) = server.process.line(Duration::from_millis(200))? {
        note(&mut cells, &line)?;
        if Instant::now() > end + Duration::from_secs(2) {
            break;
        }
    }
    // The server counts the same slots.
    let counts = server.counts()?;
    let held = cells.values().filter(|cell| cell.way != Way::TlsCut && cell.ended.is_none()).count();
    if counts.accepted - counts.ended != u64::try_from(held)? {
        println!("{family}: {held} connections are held, and the server counts {counts:?}.\n");
    }
    Ok(cells.into_values().map(|cell| ((cell.way, cell.handler), cell)).collect())
}

fn start(server: &Server, path: &'static str, begin: &Begin, way: Way) -> Result<(u16, Cell)> {
    let request = match begin {
        Begin::Get => client::get(path),
        Begin::RequestWriter => {
            format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\nsome")
        }
        Begin::Upgrade => {
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n")
        }
        Begin::WebSocket => client::handshake(path),
    };
    let socket = if way == Way::TlsCut {
        let mut stream = client::connect_secure(server.secure, LONG)?;
        stream.write_all(request.as_bytes())?;
        stream.flush()?;
        stream.sock
    } else {
        let mut socket = client::connect(server.plain)?;
        socket.write_all(request.as_bytes())?;
        socket
    };
    let port = socket.local_addr()?.port();
    socket.set_nonblocking(true)?;
    let cell = Cell {
        handler: path,
        way,
        socket: Some(socket),
        left: Duration::ZERO,
        told: Vec::new(),
        ended: None,
    };
    Ok((port, cell))
}

/// Notes a line of the server.
fn note(cells: &mut HashMap<u16, Cell>, line: &str) -> Result<()> {
    let mut words = line.splitn(4, ' ');
    let (Some(what), Some(port)) = (words.next(), words.next()) else { return Ok(()) };
    let Some(cell) = cells.get_mut(&port.parse()?) else { return Ok(()) };
    match what {
        "ended" => {
            let at = Duration::from_micros(words.next().unwrap_or_default().parse()?);
            let how = words.next().unwrap_or_default().to_owned();
            cell.ended = Some((at.saturating_sub(cell.left), how));
        }
        "told" => cell.told.push(words.collect::<Vec<_>>().join(" ")),
        _ => {}
    }
    Ok(())
}

impl Cell {
    fn leave(&mut self) -> Result<()> {
        let Some(socket) = self.socket.take() else { return Ok(()) };
        let drained = client::drain(&socket, &mut [0; 4096], |_| {});
        if drained != Drained::Open {
            return Err(format!("{} ended before the client left: {drained:?}", self.handler).into());
        }
        self.left = now();
        match self.way {
            Way::Fin | Way::TlsCut => drop(socket),
            Way::Reset => client::reset(socket),
            Way::Silence => {
                client::cut_cable(&socket)?;
                self.socket = Some(socket);
            }
            Way::FinThenReset | Way::HalfClose => {
                socket.shutdown(Shutdown::Write)?;
                self.socket = Some(socket);
            }
        }
        Ok(())
    }

    /// Reads what comes, if the client still does that.
    fn read_on(&mut self) {
        if self.way != Way::HalfClose {
            return;
        }
        let socket = self.socket.take();
        self.socket = socket.filter(|socket| client::drain(socket, &mut [0; 4096], |_| {}) == Drained::Open);
    }

    /// When the slot was free.
    fn time(&self) -> String {
        match &self.ended {
            Some((time, _)) => format!("{:.2}", time.as_secs_f64()),
            None => "held".to_owned(),
        }
    }

    fn end(&self) -> String {
        let how = self.ended.as_ref().map_or("", |(_, how)| how);
        let told = if self.told.is_empty() { "-".to_owned() } else { self.told.join("; ") };
        format!("{how} [{told}]").trim_start().to_owned()
    }
}
