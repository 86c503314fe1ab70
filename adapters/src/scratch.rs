//! Memory that is lent for one turn of a task.
//!
//! A thread reads into one buffer and gathers output in one vector, for all its connections: they stay in the cache,
//! and a connection that waits owns neither.

use std::cell::Cell;

use bytes::BytesMut;
use endwell_core::Io;

/// The most bytes of one read. More costs page faults and cache, less costs system calls.
const READ: usize = 64 << 10;

/// Room for output that is gathered before it is written: the high-water mark, and a response after it.
const WRITE: usize = 80 << 10;

thread_local! {
    static READ_BUFFER: Cell<Option<BytesMut>> = const { Cell::new(None) };
    static WRITE_BUFFER: Cell<Option<Vec<u8>>> = const { Cell::new(None) };
}

/// Lends this thread's buffer to a connection that has no room of its own.
pub(crate) fn lend_room(io: &mut Io<'_>) {
    if io.has_room() {
        return;
    }
    let buffer = READ_BUFFER.take().unwrap_or_else(|| BytesMut::zeroed(READ));
    if let Err(unused) = io.lend(buffer) {
        READ_BUFFER.set(Some(unused));
    }
}

/// Takes the buffer back; unread bytes stay in an allocation of their exact size.
pub(crate) fn reclaim_room(io: &mut Io<'_>) {
    let Some(mut buffer) = io.reclaim() else { return };
    if buffer.len() != READ {
        // A part was handed out, or it is a buffer of the connection's own. It comes back whole if there is no other
        // reference to the part; the missing part is cleared again, which costs no more than the copy that was saved.
        buffer.clear();
        if buffer.capacity() < READ && !buffer.try_reclaim(READ) {
            return;
        }
        buffer.resize(READ, 0);
    }
    READ_BUFFER.set(Some(buffer));
}

/// Lends this thread's vector to a connection without one.
pub(crate) fn lend_output(io: &mut Io<'_>) {
    if io.is_output_lent() {
        return;
    }
    let memory = WRITE_BUFFER.take().unwrap_or_else(|| Vec::with_capacity(WRITE));
    if let Err(unused) = io.lend_output(memory) {
        WRITE_BUFFER.set(Some(unused));
    }
}

/// Takes the vector back; unsent bytes stay in an allocation of their exact size.
pub(crate) fn reclaim_output(io: &mut Io<'_>) {
    if let Some(memory) = io.reclaim_output() {
        if memory.capacity() >= WRITE && memory.capacity() <= 2 * WRITE {
            WRITE_BUFFER.set(Some(memory));
        }
    }
}
