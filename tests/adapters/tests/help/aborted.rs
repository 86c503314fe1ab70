//! An end that the program itself has caused.

use endwell::{Ended, WriteError};

/// What a handler returns that has nothing to say of its connection.
pub(crate) fn aborted() -> Ended {
    WriteError::Overrun("".into()).into()
}
