//! Standard output, and how far it is.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::Failed;
use crate::console::tell;

/// Where a response goes.
pub(crate) struct Output {
    stdout: io::Stdout,
    progress: Option<Progress>,
}

/// How much of a body has come. Dropped, it leaves the line to others.
struct Progress {
    come: u64,
    announced: Option<u64>,
    begun: Instant,
    /// When it was shown last, if it was.
    shown: Option<Instant>,
}

/// A body from which on progress is shown.
const LARGE: u64 = 1 << 20;

/// The time between two looks at it.
const PERIOD: Duration = Duration::from_millis(200);

impl Output {
    /// Progress is shown where somebody sees it, and the body does not show it already.
    pub(crate) fn new(announced: Option<u64>, is_silent: bool) -> Self {
        let shows = !is_silent && io::stderr().is_terminal() && !io::stdout().is_terminal();
        let progress = Progress { come: 0, announced, begun: Instant::now(), shown: None };
        Self { stdout: io::stdout(), progress: shows.then_some(progress) }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        let mut stdout = self.stdout.lock();
        stdout
            .write_all(bytes)
            .and_then(|()| stdout.flush())
            .map_err(|error| Failed::new(Failed::NOT_WRITTEN, format!("standard output: {error}")))
    }

    pub(crate) fn write_body(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        self.write(bytes)?;
        if let Some(progress) = &mut self.progress {
            progress.come += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            progress.show();
        }
        Ok(())
    }
}

impl Progress {
    fn show(&mut self) {
        let is_large = self.announced.unwrap_or(self.come) >= LARGE;
        let is_done = self.announced == Some(self.come);
        let is_due = self.shown.is_none_or(|shown| shown.elapsed() >= PERIOD);
        if is_large && (is_due || is_done) {
            self.shown = Some(Instant::now());
            let of = self.announced.map_or_else(String::new, |all| format!(" of {}", mebibytes(all)));
            let seconds = self.begun.elapsed().as_secs();
            let _ = write!(io::stderr(), "\r{}{of} MiB, {seconds} s ", mebibytes(self.come));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            tell("");
        }
    }
}

/// With one digit behind the point.
fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 20;
    format!("{}.{}", tenths / 10, tenths % 10)
}
