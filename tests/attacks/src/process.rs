//! The other processes: servers, attackers and honest clients.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::authority::identity;
use crate::server::Setup;

/// Another process, which ends when this is dropped.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Process {
    /// Starts this program with other arguments.
    pub fn start<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        for word in words {
            command.arg(word.as_ref());
        }
        let identity = identity();
        command.env("ATTACKS_CERTIFICATE", &identity.certificate).env("ATTACKS_KEY", &identity.key);
        // Two threads for every runtime that has threads of its own.
        command.env("ASYNC_STD_THREAD_COUNT", "2").env("SMOL_THREADS", "2");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("a process without output")?;
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let input = child.stdin.take();
        Ok(Self { child, input, lines })
    }

    /// The next line that it prints. `None` if there is none in time.
    pub fn line(&self, time: Duration) -> Result<Option<String>> {
        match self.lines.recv_timeout(time) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err("a process has ended too early".into()),
        }
    }

    /// The next line, which must come.
    pub fn expect_line(&self) -> Result<String> {
        Ok(self.line(Duration::from_secs(60))?.ok_or("a process says nothing")?)
    }

    /// Ends its input: attackers print what they did, and stop.
    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Writes a line to its input.
    pub fn ask(&mut self, question: &str) -> Result<()> {
        let input = self.input.as_mut().ok_or("a process without input")?;
        Ok(writeln!(input, "{question}")?)
    }

    /// A value in kB of `/proc/PID/status`, in MiB.
    fn status_mib(&self, key: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(key)).ok_or("no such value")?;
        let kilobytes: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
        Ok(kilobytes / 1024.0)
    }

    /// Processor time used so far.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, rest) = stat.rsplit_once(") ").ok_or("no status")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        // Linux counts in hundredths of a second, on every machine that this runs on.
        Ok(Duration::from_millis(ticks * 10))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server in a process of its own.
pub struct Server {
    pub process: Process,
    pub plain: SocketAddr,
    pub secure: SocketAddr,
    pub floor: SocketAddr,
}

/// The counts of a server's plain listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub accepted: u64,
    pub ended: u64,
    /// Connections that had failed before they were accepted.
    pub failed: u64,
}

impl Server {
    pub fn start(setup: &Setup) -> Result<Self> {
        let process = Process::start(["server".to_owned()].into_iter().chain(setup.words()))?;
        let addresses = process.expect_line()?;
        let mut addresses = addresses.split(' ').map(str::parse);
        let mut next = || -> Result<SocketAddr> { Ok(addresses.next().ok_or("too few addresses")??) };
        let (plain, secure, floor) = (next()?, next()?, next()?);
        Ok(Self { process, plain, secure, floor })
    }

    /// Asks for the counts. Lines of stories that come before the answer are lost.
    pub fn counts(&mut self) -> Result<Counts> {
        self.process.ask("counters")?;
        let late = Instant::now() + Duration::from_secs(60);
        while Instant::now() < late {
            let line = self.process.expect_line()?;
            if let ["counters", accepted, ended, failed] = line.split(' ').collect::<Vec<_>>()[..] {
                let (accepted, ended) = (accepted.parse()?, ended.parse()?);
                return Ok(Counts { accepted, ended, failed: failed.parse()? });
            }
        }
        Err("a server does not count".into())
    }

    /// The memory that it holds now, in MiB.
    pub fn resident(&self) -> Result<f64> {
        self.process.status_mib("VmRSS:")
    }

    /// The most memory that it has held so far, in MiB.
    pub fn peak(&self) -> Result<f64> {
        self.process.status_mib("VmHWM:")
    }
}
