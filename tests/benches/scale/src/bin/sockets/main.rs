//! Many idle WebSockets over real sockets: server processes that share a port, each at an address of its own (127.0.0.x), and
//! as many client processes (127.0.1.x), since a process may hold some 20,000 descriptors. It climbs, stops before memory runs
//! out, and says what a connection takes, in the process and in the kernel, what pings cost, how long an echo beside them
//! takes, and whether all ended.
//!
//!   sockets [--connections LIST, default 1000,10000] [--idle SECONDS, default 25] [--ping SECONDS, default 20]

mod client;
mod server;

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Connections of one process: below its limit of descriptors.
const EACH: u64 = 18_000;

/// Bytes that the machine keeps free.
const SPARE: u64 = 2 << 30;

fn main() -> Outcome<()> {
    use lexopt::prelude::*;
    let (mut steps, mut idle, mut ping) = (vec![1000, 10_000], 25, 20);
    let (mut role, mut place) = (String::new(), 0_u8);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("connections") => {
                let list = arguments.value()?.string()?;
                steps = list.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            Long("idle") => idle = arguments.value()?.parse()?,
            Long("ping") => ping = arguments.value()?.parse()?,
            Long("role") => role = arguments.value()?.string()?,
            Long("place") => place = arguments.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let ping = Duration::from_secs(ping);
    match &*role {
        "server" => server::run(Ipv4Addr::new(127, 0, 0, place), ping),
        "client" => client::run(Ipv4Addr::new(127, 0, 1, place)),
        _ => steps.into_iter().try_for_each(|connections| step(connections, Duration::from_secs(idle), ping)),
    }
}

/// Another process of this program, which is asked a line at a time.
struct Process {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Process {
    fn start(role: &str, place: u8, ping: Duration) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--role", role, "--place", &place.to_string(), "--ping", &ping.as_secs().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a process without pipes".into());
        };
        Ok(Self { child, to, from: BufReader::new(from) })
    }

    fn say(&mut self, line: &str) -> Outcome<()> {
        Ok(writeln!(self.to, "{line}")?)
    }

    /// The numbers of its next line.
    fn hear(&mut self) -> Outcome<Vec<u64>> {
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        if line.is_empty() {
            return Err("a process has ended".into());
        }
        Ok(line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?)
    }

    fn ask(&mut self, line: &str) -> Outcome<Vec<u64>> {
        self.say(line)?;
        self.hear()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sums of what several answer.
fn sums(answers: impl Iterator<Item = Outcome<Vec<u64>>>) -> Outcome<Vec<u64>> {
    let mut sums = Vec::new();
    for answer in answers {
        let answer = answer?;
        sums.resize(answer.len().max(sums.len()), 0);
        sums.iter_mut().zip(answer).for_each(|(sum, number)| *sum += number);
    }
    Ok(sums)
}

fn ask_all(processes: &mut [Process], line: &str) -> Outcome<Vec<u64>> {
    processes.iter_mut().try_for_each(|process| process.say(line))?;
    sums(processes.iter_mut().map(Process::hear))
}

/// Bytes of a line of `/proc/meminfo`.
fn meminfo(name: &str) -> Outcome<u64> {
    let text = std::fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
}

fn step(connections: u64, idle: Duration, ping: Duration) -> Outcome<()> {
    println!("\n== {connections} connections");
    let processes = u8::try_from(connections.div_ceil(EACH))?;
    let start =
        |role| (1..=processes).map(|place| Process::start(role, place, ping)).collect::<Outcome<Vec<_>>>();
    let mut servers = start("server")?;
    let mut port = 0;
    for server in &mut servers {
        port = server.ask(&port.to_string())?[0];
    }
    let mut clients = start("client")?;
    for (place, client) in (1..).zip(&mut clients) {
        client.say(&format!("127.0.0.{place}:{port}"))?;
    }
    let before = ask_all(&mut servers, "measure")?;
    let slab = meminfo("Slab:")?;

    let began = Instant::now();
    let mut open = 0;
    while open < connections {
        let more = (connections - open).min(5000 * u64::from(processes));
        for (place, client) in (0..).zip(&mut clients) {
            client.say(
                &(more / u64::from(processes) + u64::from(place < more % u64::from(processes))).to_string(),
            )?;
        }
        ask_all(&mut clients, "opened")?;
        open += more;
        let free = meminfo("MemAvailable:")?;
        if free < SPARE && open < connections {
            println!("stopped at {open}: {} MiB of memory are left", free >> 20);
            break;
        }
    }
    let after = ask_all(&mut servers, "measure")?;
    let each = |now: u64, before: u64| now.saturating_sub(before) / open;
    println!(
        "opened in {:.1} s, {} us of the servers' CPU each",
        began.elapsed().as_secs_f64(),
        each(after[1], before[1]) / 1000
    );
    println!(
        "bytes each: {} in the server, {} of slab for both ends",
        each(after[0], before[0]),
        each(meminfo("Slab:")?, slab)
    );

    let mut echo = Echo::open(SocketAddr::from((Ipv4Addr::new(127, 0, 0, 1), u16::try_from(port)?)))?;
    let mut times = Vec::new();
    let began = Instant::now();
    while began.elapsed() < idle {
        times.push(echo.once()?);
        std::thread::sleep(Duration::from_millis(20));
    }
    let idled = ask_all(&mut servers, "measure")?;
    let pings = ask_all(&mut clients, "pings")?[0];
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "idle for {:.0} s: {:.1} % of a core in the servers, {pings} pings answered; an echo beside them: median {:?}, p99 {:?}, worst {:?}",
        began.elapsed().as_secs_f64(),
        (idled[1] - after[1]) as f64 / began.elapsed().as_nanos() as f64 * 100.0,
        at(50),
        at(99),
        at(100),
    );
    drop(echo);

    let began = Instant::now();
    let ended = ask_all(&mut servers, "close")?;
    let closed = ask_all(&mut clients, "closed")?[0];
    println!(
        "closed in {:.1} s: {closed} clients had a Close frame and the end, {} of {} ends reported, {} late",
        began.elapsed().as_secs_f64(),
        ended[0],
        open + 1,
        ended[1],
    );
    let left = ask_all(&mut servers, "measure")?;
    println!(
        "afterwards the servers have {} MiB more than before, the slab {} MiB",
        left[0].saturating_sub(before[0]) >> 20,
        meminfo("Slab:")?.saturating_sub(slab) >> 20
    );
    Ok(())
}

/// An honest client.
struct Echo(TcpStream);

impl Echo {
    fn open(address: SocketAddr) -> Outcome<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.write_all(client::HANDSHAKE)?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.extend(byte);
        }
        Ok(Self(stream))
    }

    fn once(&mut self) -> Outcome<Duration> {
        let began = Instant::now();
        self.0.write_all(b"\x81\x85\0\0\0\0hello")?;
        let mut frame = [0; 2];
        loop {
            self.0.read_exact(&mut frame)?;
            let mut payload = vec![0; usize::from(frame[1])];
            self.0.read_exact(&mut payload)?;
            match frame[0] {
                0x81 if payload == b"hello" => return Ok(began.elapsed()),
                0x89 => self.0.write_all(&client::pong(&payload))?,
                _ => return Err("not an echo".into()),
            }
        }
    }
}
