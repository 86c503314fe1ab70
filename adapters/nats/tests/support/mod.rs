//! A nats-server of a test's own, and what talks to it.
#![allow(dead_code, reason = "each test program uses some of it")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use endwell::Bytes;
use endwell::hub::{Backplane, BusEvent, Publication, Refused};

/// Longer than anything takes here.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A server, which is killed in the end.
pub(crate) struct Server {
    child: Child,
    args: Vec<String>,
    pub(crate) port: u16,
    monitor: u16,
    /// Where other servers join it, if it is of a cluster.
    pub(crate) route: Option<String>,
}

impl Server {
    /// Starts one on a free port. `None`, and a word, where there is no nats-server.
    pub(crate) fn start(args: &[&str]) -> Option<Self> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let start = |port: &str, monitor: &str| spawn(&args, port, monitor);
        let Some((child, ports)) = start("-1", "-1") else {
            println!("SKIPPED: there is no nats-server");
            return None;
        };
        let route = ports.split("\"cluster\":[\"").nth(1).and_then(|rest| rest.split('"').next());
        let route = route.map(ToOwned::to_owned);
        Some(Self { child, args, port: port(&ports, "nats"), monitor: port(&ports, "http"), route })
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, after [`kill`](Self::kill), on the same ports.
    pub(crate) fn restart(&mut self) {
        let (child, ports) = spawn(&self.args, &self.port.to_string(), &self.monitor.to_string()).unwrap();
        self.child = child;
        assert_eq!([port(&ports, "nats"), port(&ports, "http")], [self.port, self.monitor]);
    }

    /// SIGSTOP, SIGCONT.
    pub(crate) fn signal(&self, signal: &str) {
        self::signal(self.child.id(), signal);
    }

    /// The clients that are connected.
    pub(crate) fn connections(&self) -> u64 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.monitor)).unwrap();
        stream.write_all(b"GET /connz HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, rest) = answer.split_once("\"num_connections\": ").unwrap();
        rest.split(',').next().unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn spawn(args: &[String], port: &str, monitor: &str) -> Option<(Child, String)> {
    let folder = temporary();
    let mut server = Command::new("nats-server");
    server.args(["-a", "127.0.0.1", "-p", port, "-m", monitor, "--ports_file_dir"]).arg(&folder).args(args);
    let child = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let file = folder.join(format!("nats-server_{}.ports", child.id()));
    let since = Instant::now();
    let ports = loop {
        // It is written when the server listens.
        let ports = fs::read_to_string(&file).unwrap_or_default();
        if ports.ends_with('}') {
            break ports;
        }
        assert!(since.elapsed() < LONG, "nats-server does not start");
        std::thread::sleep(Duration::from_millis(5));
    };
    fs::remove_dir_all(folder).unwrap();
    Some((child, ports))
}

/// A port out of the file in which the server tells them.
fn port(ports: &str, scheme: &str) -> u16 {
    let (_, rest) = ports.split_once(&format!("{scheme}://127.0.0.1:")).unwrap();
    rest.split('"').next().unwrap().parse().unwrap()
}

/// A folder of our own.
pub(crate) fn temporary() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("endwell-nats-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

pub(crate) fn signal(process: u32, signal: &str) {
    let status = Command::new("kill").args([format!("-{signal}"), process.to_string()]).status();
    assert!(status.unwrap().success());
}

/// A client that speaks as a shell would: `PUB SUBJECT BYTES`.
pub(crate) struct Raw {
    stream: BufReader<TcpStream>,
    /// What the server said first.
    pub(crate) info: String,
}

impl Raw {
    pub(crate) fn connect(server: &Server) -> Self {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", server.port)).unwrap());
        let mut info = String::new();
        stream.read_line(&mut info).unwrap();
        assert!(info.starts_with("INFO "), "{info}");
        let mut raw = Self { stream, info };
        raw.write(b"CONNECT {\"verbose\":false,\"headers\":true}\r\n");
        raw
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    pub(crate) fn publish(&mut self, subject: &str, payload: &[u8]) {
        self.write(&[format!("PUB {subject} {}\r\n", payload.len()).as_bytes(), payload, b"\r\n"].concat());
    }

    /// Waits until the server has everything.
    pub(crate) fn barrier(&mut self) {
        self.write(b"PING\r\n");
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            match &*line {
                "PONG\r\n" => return,
                "PING\r\n" => self.write(b"PONG\r\n"),
                _ => panic!("{line:?}"),
            }
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls until there is something, on this thread, without a runtime. `None` after a time.
pub(crate) fn wait<T>(within: Duration, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Option<T> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let until = Instant::now() + within;
    loop {
        if let Poll::Ready(done) = poll(&mut Context::from_waker(&waker)) {
            return Some(done);
        }
        let left = until.checked_duration_since(Instant::now())?;
        std::thread::park_timeout(left);
    }
}

/// The next event of a bus.
pub(crate) fn next(bus: &mut impl Backplane) -> BusEvent {
    wait(LONG, |cx| bus.poll(cx)).expect("no event")
}

/// The next event, which is a message.
pub(crate) fn message(bus: &mut impl Backplane) -> (String, Option<String>, Bytes) {
    let event = next(bus);
    let BusEvent::Received { subject, header, payload } = event else { panic!("{event:?}") };
    (subject, header, payload)
}

/// Publishes without a header.
pub(crate) fn publish(bus: &mut impl Backplane, subject: &str, payload: &Bytes) -> Result<(), Refused> {
    bus.try_publish(Publication { subject, header: None, payload })
}

/// Waits until the bus hears itself. What came before is dropped.
pub(crate) fn barrier(bus: &mut impl Backplane) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let payload = Bytes::from(NUMBER.fetch_add(1, Ordering::Relaxed).to_string());
    publish(bus, "c.barrier", &payload).unwrap();
    let is_other = |(subject, _, content): (String, _, _)| subject != "c.barrier" || content != payload;
    while is_other(message(bus)) {}
}
