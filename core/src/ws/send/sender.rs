//! Writes frames: masked, compressed, or plain.

use alloc::boxed::Box;
use bytes::Bytes;

use super::frame::Frame;
use super::message::{DataMessage, Full};
use crate::Outbox;
use crate::ws::deflate::{Compression, Sending};
use crate::ws::wire::close::Close;
use crate::ws::wire::control::Control;
use crate::ws::wire::header;
use crate::ws::wire::header::OpCode;
use crate::ws::wire::mask::Masks;

/// What writes the frames of a WebSocket. Each has exactly one, until its Close is written.
#[derive(Debug)]
pub(in crate::ws) struct Sender {
    form: Form,
    /// The latest Pong that did not fit.
    owed: Option<Box<Control<'static>>>,
}

/// How frames are written.
#[derive(Debug)]
enum Form {
    /// Unmasked: a server's.
    Plain,
    /// Masked: a client's.
    Masked(Masks),
    /// Compressed, and masked if there are masks.
    #[cfg_attr(not(feature = "deflate"), expect(dead_code, reason = "it has no value without the feature"))]
    Compressed(Sending),
}

impl Sender {
    pub(in crate::ws) fn new(masks: Option<Masks>) -> Self {
        Self { form: masks.map_or(Form::Plain, Form::Masked), owed: None }
    }

    /// The memory held for writing, in bytes: what compression keeps, including the compressor of a message in pieces.
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        match &self.form {
            Form::Plain | Form::Masked(_) => 0,
            Form::Compressed(sending) => sending.held_bytes(),
        }
    }

    /// Writes a borrowed text message.
    ///
    /// # Errors
    ///
    /// If it does not fit into the outbox now ([`fits`](Self::fits)). Nothing of it was written.
    #[inline]
    pub(in crate::ws) fn text<'t>(&mut self, text: &'t str, out: &mut Outbox) -> Result<(), Full<&'t str>> {
        if !Self::fits(text.len(), out) {
            return Err(Full(text));
        }
        self.put(OpCode::Text.last(), text.as_bytes(), out);
        Ok(())
    }

    /// Writes a borrowed binary message.
    ///
    /// # Errors
    ///
    /// If it does not fit into the outbox now ([`fits`](Self::fits)). Nothing of it was written.
    #[inline]
    pub(in crate::ws) fn binary<'d>(
        &mut self,
        data: &'d [u8],
        out: &mut Outbox,
    ) -> Result<(), Full<&'d [u8]>> {
        if !Self::fits(data.len(), out) {
            return Err(Full(data));
        }
        self.put(OpCode::Binary.last(), data, out);
        Ok(())
    }

    /// Writes an owned message. A large one is referenced, unless it must be masked.
    ///
    /// # Errors
    ///
    /// Returns the message if it does not fit into the outbox now ([`fits`](Self::fits)).
    pub(in crate::ws) fn message(
        &mut self,
        message: DataMessage,
        out: &mut Outbox,
    ) -> Result<(), Full<DataMessage>> {
        if !Self::fits(message.data().len(), out) {
            return Err(Full(message));
        }
        let first = OpCode::of_kind(message.kind()).last();
        let compression = message.compression();
        match &mut self.form {
            Form::Plain => header::put_owned(first, message.into_data(), out),
            Form::Masked(masks) => header::put_masked(first, message.data(), masks, out),
            Form::Compressed(sending) => sending.put_bytes(first, message.into_data(), compression, out),
        }
        Ok(())
    }

    /// Writes a message that was encoded once for many connections. Unless it must be masked, a large one is referenced
    /// and a small one is copied.
    ///
    /// # Errors
    ///
    /// If it does not fit into the outbox now ([`fits`](Self::fits), by the length of its content). Nothing of it was
    /// written.
    #[inline]
    pub(in crate::ws) fn frame<'f>(
        &mut self,
        frame: &'f Frame,
        out: &mut Outbox,
    ) -> Result<(), Full<&'f Frame>> {
        if !Self::fits(frame.data().len(), out) {
            return Err(Full(frame));
        }
        match &mut self.form {
            Form::Plain => frame.put(None, out),
            Form::Masked(masks) => frame.put(Some(masks), out),
            Form::Compressed(sending) => frame.put_compressed(sending, out),
        }
        Ok(())
    }

    /// True if a message of `len` bytes is accepted now: it stays within [`OutboxLimits::bytes`], or the outbox is
    /// empty. Otherwise a message larger than the outbox could never be sent, although it is in memory anyway.
    ///
    /// [`OutboxLimits::bytes`]: crate::OutboxLimits::bytes
    #[inline]
    pub(in crate::ws) fn fits(len: usize, out: &Outbox) -> bool {
        len <= out.room() || out.is_empty()
    }

    /// Writes a Ping.
    ///
    /// # Errors
    ///
    /// Returns the payload if even the reserve for control frames is full.
    pub(in crate::ws) fn ping<'p>(
        &mut self,
        payload: Control<'p>,
        out: &mut Outbox,
    ) -> Result<(), Full<Control<'p>>> {
        if !out.takes_control(header::CONTROL_FRAME) {
            return Err(Full(payload));
        }
        self.control(OpCode::Ping, &payload, out);
        Ok(())
    }

    /// Writes the Pong for a Ping.
    ///
    /// Above the high-water mark the Pong is kept instead, and only the latest one (RFC 6455 5.5.3): see
    /// [`settle`](Self::settle). So a peer that pings and never reads cannot make memory grow, and reading need not
    /// wait for writing.
    pub(in crate::ws) fn pong(&mut self, payload: &Control<'_>, out: &mut Outbox) {
        self.owed = None;
        if Self::takes_pong(out) {
            self.control(OpCode::Pong, payload, out);
        } else {
            self.owed = Some(payload.clone().into_owned().into());
        }
    }

    /// Writes the Pong that was kept, if any, once the output is below the high-water mark again. Call it when the
    /// transport has taken bytes.
    #[inline]
    pub(in crate::ws) fn settle(&mut self, out: &mut Outbox) {
        if self.owed.is_some() {
            self.write_owed(out);
        }
    }

    #[cold]
    fn write_owed(&mut self, out: &mut Outbox) {
        if Self::takes_pong(out) {
            if let Some(payload) = self.owed.take() {
                self.control(OpCode::Pong, &payload, out);
            }
        }
    }

    fn takes_pong(out: &Outbox) -> bool {
        !out.is_above_high_water() && out.takes_control(header::CONTROL_FRAME)
    }

    /// Writes the keep-alive ping that is due.
    pub(in crate::ws) fn keep_alive(&mut self, out: &mut Outbox) {
        self.control(OpCode::Ping, &Control::EMPTY, out);
    }

    /// True if compression was agreed on, with a window that our compressor supports.
    #[cfg(feature = "deflate")]
    pub(in crate::ws) fn deflates(&self) -> bool {
        matches!(self.form, Form::Compressed(_))
    }

    /// Compresses data from now on, unless our compressor does not support the agreed window.
    #[cfg(feature = "deflate")]
    pub(in crate::ws) fn compress(&mut self, agreement: &crate::ws::Agreement) {
        let Some(window) = agreement.window() else { return };
        let masks = match core::mem::replace(&mut self.form, Form::Plain) {
            Form::Plain => None,
            Form::Masked(masks) => Some(masks),
            Form::Compressed(sending) => sending.into_masks(),
        };
        self.form = Form::Compressed(Sending::new(agreement, window, masks));
    }

    /// Writes our Close, the last frame. A Pong that was kept goes before it.
    pub(in crate::ws) fn close(mut self, close: &Close, out: &mut Outbox) {
        if let Some(pong) = self.owed.take().filter(|_| out.takes_control(header::CONTROL_FRAME)) {
            self.control(OpCode::Pong, &pong, out);
        }
        let (payload, len) = close.write();
        self.control(OpCode::Close, payload.get(..len).unwrap_or_default(), out);
    }

    /// Begins a message in pieces.
    pub(in crate::ws) fn begin_fragments(&mut self, compression: Compression) {
        if let Form::Compressed(sending) = &mut self.form {
            sending.begin_pieces(compression);
        }
    }

    /// Writes a frame of a message in pieces.
    pub(in crate::ws) fn fragment(&mut self, first: u8, data: Bytes, out: &mut Outbox) {
        match &mut self.form {
            Form::Plain => header::put_owned(first, data, out),
            Form::Masked(masks) => header::put_masked(first, &data, masks, out),
            Form::Compressed(sending) => sending.put_piece(first, data, out),
        }
    }

    /// Writes the last frame of a message in pieces.
    pub(in crate::ws) fn end_fragments(&mut self, first: u8, out: &mut Outbox) {
        match &mut self.form {
            Form::Compressed(sending) => sending.end_pieces(first, out),
            Form::Plain | Form::Masked(_) => self.fragment(first, Bytes::new(), out),
        }
    }

    #[inline]
    fn put(&mut self, first: u8, data: &[u8], out: &mut Outbox) {
        match &mut self.form {
            Form::Plain => header::put(first, data, None, out),
            Form::Masked(masks) => header::put_masked(first, data, masks, out),
            Form::Compressed(sending) => sending.put(first, data, out),
        }
    }

    fn control(&mut self, opcode: OpCode, payload: &[u8], out: &mut Outbox) {
        let masks = match &mut self.form {
            Form::Plain => None,
            Form::Masked(masks) => Some(masks),
            Form::Compressed(sending) => sending.masks(),
        };
        header::put(opcode.last(), payload, masks, out);
    }
}
