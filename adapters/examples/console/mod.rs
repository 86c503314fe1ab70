//! Standard output and standard error, either of which may be closed: nothing that is written there fails a program.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::exit;

/// Tells the user something. If standard error is closed, the exit status says all that can be said.
pub(crate) fn tell(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints what `--help` asks for, and ends the program: with 0, also when the reader has seen enough, and with 1 if it
/// could not be written.
pub(crate) fn help(text: impl Display) -> ! {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            tell(format_args!("standard output: {error}"));
            exit(1)
        }
        Ok(()) | Err(_) => exit(0),
    }
}
