//! Thousands of clients leave, against a listener of 100: does it serve on?

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::client;
use crate::options::Options;
use crate::process::Server;
use crate::server::{Family, Setup};
use crate::table;

const CONNECTIONS: usize = 100;
const BATCH: usize = 50;
/// A server that frees no slot for this long is stuck.
const PATIENCE: Duration = Duration::from_secs(8);

#[derive(Clone, Copy)]
enum Way {
    Fin,
    Reset,
    FinThenReset,
}

const WAYS: [(Way, &str); 3] = [(Way::Fin, "FIN"), (Way::Reset, "RST"), (Way::FinThenReset, "FIN then RST")];
/// What the handlers do: the path, the name in the table, and whether it is a WebSocket.
///
/// The last one is the control: a handler that receives sees the end.
const HANDLERS: [(&str, &str, bool); 3] = [
    ("/long-polls", "long-polls", false),
    ("/sends-rarely", "WebSocket: waits, receives not", true),
    ("/receives", "WebSocket: receives", true),
];

pub fn run(options: &Options) -> Result<()> {
    println!("## Thousands leave\n");
    println!(
        "{} clients against a listener of {CONNECTIONS}, {BATCH} at a time: half of them leave as soon as they have \
         asked, half when the handler runs. Limits of 1 s or less. Then an honest client asks. \"stuck\": no slot was \
         freed for {} s. Load at the start: {}.\n",
        options.count,
        PATIENCE.as_secs(),
        table::load(),
    );
    let mut rows = Vec::new();
    for family in options.families().into_iter().filter(|&family| family != Family::Hyper) {
        // Each has a server of its own. Most of the time nothing happens, where one is stuck.
        let outcomes = thread::scope(|scope| {
            let mut running = Vec::new();
            for (path, handler, is_web_socket) in HANDLERS {
                for (way, name) in WAYS {
                    if options.wants(handler) || options.wants(name) {
                        let count = options.count;
                        let run = move || measure(family, path, is_web_socket, way, count);
                        running.push((handler, name, scope.spawn(run)));
                    }
                }
            }
            let join = |(handler, name, thread): (_, _, thread::ScopedJoinHandle<'_, Result<String>>)| {
                let outcome = thread.join().unwrap_or_else(|_| Err("a client panicked".into()));
                (handler, name, outcome)
            };
            running.into_iter().map(join).collect::<Vec<_>>()
        });
        for (handler, name, outcome) in outcomes {
            rows.push(vec![family.to_string(), handler.to_owned(), name.to_owned(), outcome?]);
        }
    }
    table::print(&["runtime", "handler", "leaving", "outcome"], &rows);
    println!("Load at the end: {}.\n", table::load());
    Ok(())
}

fn measure(family: Family, path: &str, is_web_socket: bool, way: Way, count: usize) -> Result<String> {
    let setup = Setup { short: true, connections: CONNECTIONS, ..Setup::of(family) };
    let mut server = Server::start(&setup)?;
    let start = Instant::now();
    let mut left = 0;
    let mut gone = Progress::default();
    while left < count {
        let batch = BATCH.min(count - left);
        leave(&server, path, is_web_socket, way, batch)?;
        left += batch;
        // No more than the listener takes are under way.
        while gone.count + CONNECTIONS < left + BATCH && !gone.is_stuck() {
            gone.look(&mut server)?;
        }
        if gone.is_stuck() {
            break;
        }
    }
    while gone.count < left && !gone.is_stuck() {
        gone.look(&mut server)?;
    }
    let time = start.elapsed();
    let honest = match client::newcomer(server.plain, Duration::from_secs(5)) {
        Ok(time) => format!("answered in {} ms", table::millis(time)),
        Err(error) => error,
    };
    let free = gone.count;
    Ok(if gone.is_stuck() {
        format!("stuck: {left} left, {free} slots freed; honest client: {honest}")
    } else {
        format!("{free} in {:.1} s; honest client: {honest}", time.as_secs_f64())
    })
}

/// How many connections are over, and since when that is so.
struct Progress {
    count: usize,
    since: Instant,
}

impl Default for Progress {
    fn default() -> Self {
        Self { count: 0, since: Instant::now() }
    }
}

impl Progress {
    fn look(&mut self, server: &mut Server) -> Result<()> {
        let counts = server.counts()?;
        let count = usize::try_from(counts.ended + counts.failed)?;
        if count > self.count {
            *self = Self { count, since: Instant::now() };
        } else {
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn is_stuck(&self) -> bool {
        self.since.elapsed() > PATIENCE
    }
}

/// Connects a batch of clients that ask and leave.
fn leave(server: &Server, path: &str, is_web_socket: bool, way: Way, batch: usize) -> Result<()> {
    let request = if is_web_socket { client::handshake(path) } else { client::get(path) };
    let mut sockets = Vec::new();
    for number in 0..batch {
        let mut socket = client::connect(server.plain)?;
        socket.write_all(request.as_bytes())?;
        if number % 2 == 0 {
            go(socket, way);
        } else {
            sockets.push(socket);
        }
    }
    for socket in &mut sockets {
        // A listener that is stuck does not answer.
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        if is_web_socket && client::read_head(socket).is_err() {
            break;
        }
    }
    thread::sleep(Duration::from_millis(2));
    sockets.into_iter().for_each(|socket| go(socket, way));
    Ok(())
}

fn go(socket: TcpStream, way: Way) {
    match way {
        Way::Fin => drop(socket),
        Way::Reset => client::reset(socket),
        Way::FinThenReset => {
            let _ = socket.shutdown(Shutdown::Write);
            client::reset(socket);
        }
    }
}
