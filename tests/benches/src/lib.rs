//! What the peers share: their options, and the line by which a script finds them.

use std::net::SocketAddr;

/// `--listen ADDR`, `--threads N`, `--mode NAME`.
pub struct Options {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Worker threads; one runs everything on the main thread.
    pub threads: usize,
    /// Which of a peer's ways is measured; each peer has its own.
    pub mode: String,
}

impl Options {
    /// # Errors
    ///
    /// An option that is not known, or a value that cannot be read.
    pub fn from_args() -> Result<Self, lexopt::Error> {
        use lexopt::prelude::*;
        let mut options =
            Self { listen: SocketAddr::from(([127, 0, 0, 1], 0)), threads: 1, mode: String::new() };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("listen") => options.listen = arguments.value()?.parse()?,
                Long("threads") => options.threads = arguments.value()?.parse()?,
                Long("mode") => options.mode = arguments.value()?.parse()?,
                other => return Err(other.unexpected()),
            }
        }
        Ok(options)
    }

    /// # Errors
    ///
    /// The runtime cannot be made.
    pub fn runtime(&self) -> std::io::Result<tokio::runtime::Runtime> {
        use tokio::runtime::Builder;
        match self.threads {
            0 | 1 => Builder::new_current_thread().enable_all().build(),
            threads => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
        }
    }
}

/// The CPU time that all threads of a process have used, in nanoseconds. A thread that runs at this moment is counted up
/// to the scheduler's last tick.
///
/// # Errors
///
/// The process has ended, or the kernel keeps no such statistics.
pub fn cpu_time(pid: u32) -> std::io::Result<u64> {
    let mut sum = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let used = text.split(' ').next().and_then(|used| used.parse::<u64>().ok());
        sum += used.ok_or(std::io::ErrorKind::InvalidData)?;
    }
    Ok(sum)
}
