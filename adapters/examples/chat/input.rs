//! What the user says.

use std::io::{self, BufRead};
use std::thread;

use signal_hook::consts::SIGINT;
use signal_hook::iterator::Signals;
use smol::channel::{Receiver, bounded};

use crate::console::tell;

/// The lines of standard input, without their ends. It closes behind the last one.
pub(crate) type Input = Receiver<String>;

/// Standard input blocks, so it has a thread.
pub(crate) fn lines() -> Input {
    let (send, input) = bounded(16);
    thread::spawn(move || {
        for line in io::stdin().lock().split(b'\n') {
            match line.map(String::from_utf8) {
                Ok(Ok(mut line)) => {
                    line.truncate(line.trim_end_matches('\r').len());
                    if send.send_blocking(line).is_err() {
                        return;
                    }
                }
                Ok(Err(_)) => tell("chat: a line that is not UTF-8 was not sent"),
                Err(error) => return tell(format_args!("chat: standard input: {error}")),
            }
        }
    });
    input
}

/// Is done at the first Ctrl-C. The second one ends the program at once.
pub(crate) fn interrupted() -> io::Result<impl Future<Output = ()>> {
    let (tell, told) = bounded(1);
    let mut signals = Signals::new([SIGINT])?;
    thread::spawn(move || {
        for _ in &mut signals {
            if tell.is_closed() || tell.try_send(()).is_err() {
                std::process::exit(130);
            }
        }
    });
    Ok(async move { told.recv().await.unwrap_or(()) })
}
