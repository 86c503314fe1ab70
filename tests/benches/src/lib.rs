//! What the peers share: their options, and the line by which a script finds them.

use std::net::SocketAddr;

/// `--listen ADDR`, `--threads N`.
pub struct Options {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Worker threads; one runs everything on the main thread.
    pub threads: usize,
}

impl Options {
    /// # Errors
    ///
    /// An option that is not known, or a value that cannot be read.
    pub fn from_args() -> Result<Self, lexopt::Error> {
        use lexopt::prelude::*;
        let mut options = Self { listen: SocketAddr::from(([127, 0, 0, 1], 0)), threads: 1 };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("listen") => options.listen = arguments.value()?.parse()?,
                Long("threads") => options.threads = arguments.value()?.parse()?,
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
