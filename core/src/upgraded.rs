//! A connection that another protocol uses.

use alloc::boxed::Box;

use bytes::{Buf, Bytes};

use crate::closing::{Closing, Grace, Manner};
use crate::io::{Ask, Conn, Waits};
use crate::{Deadline, Instant, Io, Outcome, Payload};

/// A connection that uses another protocol from here on, as bytes in both directions.
///
/// What HTTP has queued, the 101 for example, still goes out first, and the bytes behind the last HTTP message are the
/// first that are received. No time limit runs for what the peer sends; what is queued has the pace of the output.
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct Upgraded(Box<Raw>);

#[derive(Debug)]
struct Raw {
    conn: Conn,
    untimed: Untimed,
    grace: Grace,
}

/// Another protocol has its own limits of time.
#[derive(Debug)]
struct Untimed;

impl Upgraded {
    pub(crate) fn new(mut conn: Conn, grace: Grace) -> Self {
        conn.inbox.forget_silence();
        Self(Box::new(Raw { conn, untimed: Untimed, grace }))
    }

    pub(crate) fn into_conn(self) -> Conn {
        self.0.conn
    }

    /// The transport's side.
    pub fn io(&mut self) -> Io<'_> {
        Io::new(&mut self.0.conn, &mut self.0.untimed)
    }

    /// Takes what has arrived. `None` if nothing has.
    pub fn received(&mut self) -> Option<Payload<'_>> {
        self.received_up_to(usize::MAX)
    }

    /// Takes at most `most` bytes of what has arrived. `None` if nothing has.
    pub fn received_up_to(&mut self, most: usize) -> Option<Payload<'_>> {
        let inbox = &mut self.0.conn.inbox;
        let len = inbox.len().min(most);
        (len > 0).then(|| inbox.payload(len))
    }

    /// True if the peer has ended its stream, or the stream broke off, and what arrived before was taken.
    pub fn has_ended(&self) -> bool {
        self.0.conn.inbox.is_over() && self.0.conn.inbox.is_empty()
    }

    /// The number of bytes that can be written now.
    pub fn room(&self) -> usize {
        self.0.conn.outbox.room()
    }

    /// Writes bytes of the other protocol.
    ///
    /// # Errors
    ///
    /// Returns the bytes, of which none was written, if they exceed [`room`](Self::room).
    pub fn write(&mut self, data: Bytes) -> Result<(), Bytes> {
        if data.len() > self.room() {
            return Err(data);
        }
        self.0.conn.outbox.put_bytes(data);
        Ok(())
    }

    /// Writes nothing more: what is queued goes out, and the connection closes.
    pub fn close(self) -> Closing {
        let Raw { conn, grace, .. } = *self.0;
        Closing::new(conn, Outcome::ByUs, Manner::First(grace))
    }

    /// Hands over the bytes that were received and not taken, and those that are queued and not written: for a caller
    /// whose other protocol has a transport of its own.
    pub fn into_parts(self) -> (Bytes, Bytes) {
        let Conn { mut inbox, mut outbox, .. } = self.0.conn;
        let (unread, queued) = (inbox.len(), outbox.remaining());
        (inbox.payload(unread).take(), outbox.copy_to_bytes(queued))
    }
}

impl Waits for Untimed {
    fn found_nothing(&mut self, _: &mut Conn, _: Instant, _: Ask<'_>) -> bool {
        // What was there before is no news.
        false
    }

    fn pause(&mut self, _: &mut Conn, _: Instant) {}

    fn deadline(&self, _: &Conn) -> Option<Deadline> {
        None
    }
}
