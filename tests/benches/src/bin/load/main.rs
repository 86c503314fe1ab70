//! The load of the benches: many connections on one thread, none of which waits. What it sends was made before, and every
//! answer is compared. It prints how many messages came back, and the nanoseconds that passed, that the server's process
//! computed (with `--pid`) and that it computed itself.

mod answers;
mod echo;
mod requests;
mod turnover;
mod wire;

use std::error::Error;
use std::net::SocketAddr;
use std::process;
use std::time::{Duration, Instant};

use endwell_benches::cpu_time;

const USAGE: &str = "usage: load [options] ADDRESS
  --speak NAME      raw (the frames, to a TCP echo), websocket or http (websocket)
  --connections N   at one time (10)
  --flight N        messages in flight on each (1)
  --bytes N         payload of a message (20)
  --text NAME       binary, ascii or chinese (binary)
  --seconds S       time of the measurement (1)
  --tls CERTIFICATE speak TLS, and trust this DER file
  --turnover        connect, open, echo one message, close, again and again: a message counts for a connection
  --hold            echo once on each connection, print the server's resident bytes before and after, and end
  --pid PID         the server's process";

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speak {
    Raw,
    WebSocket,
    Http,
}

pub(crate) struct Options {
    pub(crate) address: SocketAddr,
    pub(crate) speak: Speak,
    pub(crate) connections: usize,
    pub(crate) flight: usize,
    pub(crate) bytes: usize,
    pub(crate) text: String,
    pub(crate) seconds: f64,
    pub(crate) tls: Option<String>,
    turnover: bool,
    hold: bool,
    pid: Option<u32>,
}

fn options() -> Outcome<Options> {
    use lexopt::prelude::*;
    let mut options = Options {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        speak: Speak::WebSocket,
        connections: 10,
        flight: 1,
        bytes: 20,
        text: "binary".into(),
        seconds: 1.0,
        tls: None,
        turnover: false,
        hold: false,
        pid: None,
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("speak") => {
                options.speak = arguments.value()?.parse_with(|name| match name {
                    "raw" => Ok(Speak::Raw),
                    "websocket" => Ok(Speak::WebSocket),
                    "http" => Ok(Speak::Http),
                    _ => Err("expected raw, websocket or http"),
                })?;
            }
            Long("connections") => options.connections = arguments.value()?.parse()?,
            Long("flight") => options.flight = arguments.value()?.parse()?,
            Long("bytes") => options.bytes = arguments.value()?.parse()?,
            Long("text") => options.text = arguments.value()?.parse()?,
            Long("seconds") => options.seconds = arguments.value()?.parse()?,
            Long("tls") => options.tls = Some(arguments.value()?.parse()?),
            Long("turnover") => options.turnover = true,
            Long("hold") => options.hold = true,
            Long("pid") => options.pid = Some(arguments.value()?.parse()?),
            Long("help") => {
                println!("{USAGE}");
                process::exit(0);
            }
            Value(value) => options.address = value.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

/// Runs one measurement: what `work` returns is how many messages came back.
fn measure(pid: Option<u32>, work: impl FnOnce() -> Outcome<u64>) -> Outcome<()> {
    // The scheduler counts a thread's time when the thread goes to sleep.
    let server = || {
        std::thread::sleep(Duration::from_millis(5));
        pid.map_or(Ok(0), cpu_time)
    };
    let (server_before, own_before, started) = (server()?, cpu_time(process::id())?, Instant::now());
    let messages = work()?;
    let (passed, own) = (started.elapsed(), cpu_time(process::id())? - own_before);
    println!("{messages} {} {} {own}", passed.as_nanos(), server()? - server_before);
    Ok(())
}

/// The resident bytes of a process.
fn resident(pid: u32) -> Outcome<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?;
    Ok(kilobytes.parse::<u64>()? << 10)
}

fn main() -> Outcome<()> {
    let options = options()?;
    if options.turnover {
        return measure(options.pid, || turnover::run(&options));
    }
    if options.hold {
        let pid = options.pid.ok_or("--hold needs --pid")?;
        let before = resident(pid)?;
        let mut echo = echo::Echo::open(&options)?;
        echo.run(Instant::now())?;
        std::thread::sleep(Duration::from_millis(500));
        println!("{before} {}", resident(pid)?);
        return Ok(());
    }
    let mut echo = echo::Echo::open(&options)?;
    // Everything has been in use once.
    echo.run(Instant::now())?;
    measure(options.pid, || echo.run(Instant::now() + Duration::from_secs_f64(options.seconds)))
}
