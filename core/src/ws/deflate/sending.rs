//! The state that a sender needs for compression. RFC 7692 7.2.1.

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::Bytes;

use super::agreement::Agreement;
use super::compression::Compression;
use super::deflater::{Deflater, END, Form, OWNED};
use super::history::History;
use super::settings::Deflate;
use super::shared::SharedForm;
use super::window::WindowBits;
use crate::Outbox;
use crate::ws::wire::header;
use crate::ws::wire::mask::Masks;

/// The state that a sender needs for compression. If it is present, messages may be compressed.
#[derive(Debug)]
pub(in crate::ws) struct Sending(Box<Inner>);

#[derive(Debug)]
struct Inner {
    deflate: Arc<Deflate>,
    form: Form,
    /// The data that the next message may refer to, if our context is taken over.
    history: Option<History>,
    masks: Option<Masks>,
    pieces: Pieces,
}

/// Whether the message in pieces is compressed.
#[derive(Debug)]
enum Pieces {
    /// It is uncompressed, or there is no message in pieces.
    Plain,
    /// It is compressed, and no piece of it is written.
    Due,
    /// It is compressed with this.
    Begun(Box<Deflater>),
}

impl Sending {
    /// Makes the state for this window.
    pub(in crate::ws) fn new(agreement: &Agreement, window: WindowBits, masks: Option<Masks>) -> Self {
        let deflate = Arc::clone(agreement.deflate());
        let form = Form::new(window, deflate.level, deflate.memory_level);
        let history = agreement.sent_context().map(History::new);
        Self(Box::new(Inner { deflate, form, history, masks, pieces: Pieces::Plain }))
    }

    pub(in crate::ws) fn masks(&mut self) -> Option<&mut Masks> {
        self.0.masks.as_mut()
    }

    pub(in crate::ws) fn into_masks(self) -> Option<Masks> {
        self.0.masks
    }

    /// Writes a borrowed message. `first` has the opcode and the FIN bit.
    #[inline(never)]
    pub(in crate::ws) fn put(&mut self, first: u8, data: &[u8], out: &mut Outbox) {
        if !self.wants(data.len(), Compression::BySize) || !self.put_compressed(first, data, out) {
            header::put(first, data, self.masks(), out);
        }
    }

    /// Writes an owned message.
    #[inline(never)]
    pub(in crate::ws) fn put_bytes(
        &mut self,
        first: u8,
        data: Bytes,
        compression: Compression,
        out: &mut Outbox,
    ) {
        if !self.wants(data.len(), compression) || !self.put_compressed(first, &data, out) {
            put_owned(first, data, self.masks(), out);
        }
    }

    /// Writes a message that many connections share, in the form that was compressed for the first of them. False if it
    /// must be written uncompressed.
    pub(in crate::ws) fn put_shared(
        &mut self,
        first: u8,
        data: &Bytes,
        compression: Compression,
        shared: &SharedForm,
        out: &mut Outbox,
    ) -> bool {
        if !self.wants(data.len(), compression) {
            return false;
        }
        let inner = &mut *self.0;
        let Some((window, compressed)) = shared.compressed(|| {
            let mut deflater = inner.deflate.pool().deflater(inner.form);
            deflater.begin(None);
            let compressed = deflater.whole(data).map(Bytes::copy_from_slice);
            inner.deflate.pool().give_deflater(deflater);
            compressed.map(|compressed| (inner.form.window(), compressed))
        }) else {
            return false;
        };
        if window > inner.form.window() {
            return self.put_compressed(first, data, out);
        }
        // This form refers to no earlier data, and later messages may refer to it as to any other.
        header::put_shared(first | header::COMPRESSED, compressed, inner.masks.as_mut(), out);
        if let Some(history) = &mut inner.history {
            history.push(data);
        }
        true
    }

    /// Begins a message in pieces.
    pub(in crate::ws) fn begin_pieces(&mut self, compression: Compression) {
        self.0.pieces = match compression {
            Compression::BySize | Compression::Always => Pieces::Due,
            Compression::Never => Pieces::Plain,
        };
    }

    /// Writes a piece.
    #[inline(never)]
    pub(in crate::ws) fn put_piece(&mut self, first: u8, data: Bytes, out: &mut Outbox) {
        let Inner { deflate, form, history, masks, pieces } = &mut *self.0;
        let (deflater, first) = match pieces {
            Pieces::Plain => return put_owned(first, data, masks.as_mut(), out),
            Pieces::Due => {
                let mut deflater = deflate.pool().deflater(*form);
                deflater.begin(history.as_ref());
                *pieces = Pieces::Begun(deflater.into());
                // RFC 7692 6: the first frame of a message marks it as compressed.
                (pieces.begun(), first | header::COMPRESSED)
            }
            Pieces::Begun(_) => (pieces.begun(), first),
        };
        let Some(deflater) = deflater else { return };
        let len = deflater.piece(&data).len();
        put_output(deflater, len, first, masks.as_mut(), out);
        deflater.forget_output();
        if let Some(history) = history {
            history.push(&data);
        }
    }

    /// Writes the last frame of a message in pieces.
    pub(in crate::ws) fn end_pieces(&mut self, first: u8, out: &mut Outbox) {
        let inner = &mut *self.0;
        let payload = match core::mem::replace(&mut inner.pieces, Pieces::Plain) {
            // Without any piece this is an empty message, which compression would make larger.
            Pieces::Plain | Pieces::Due => &[],
            Pieces::Begun(deflater) => {
                inner.deflate.pool().give_deflater(*deflater);
                END
            }
        };
        header::put(first, payload, inner.masks.as_mut(), out);
    }

    /// The memory held, in bytes.
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        let history = self.0.history.as_ref().map_or(0, History::held_bytes);
        let deflater = match &self.0.pieces {
            Pieces::Plain | Pieces::Due => 0,
            Pieces::Begun(_) => self.0.form.held_bytes(),
        };
        size_of::<Inner>() + history + deflater
    }

    fn wants(&self, len: usize, compression: Compression) -> bool {
        match compression {
            Compression::BySize => len >= self.0.deflate.least,
            Compression::Always => true,
            Compression::Never => false,
        }
    }

    /// Compresses and writes a message. False if nothing was written, since the result would not be smaller.
    fn put_compressed(&mut self, first: u8, data: &[u8], out: &mut Outbox) -> bool {
        let Inner { deflate, form, history, masks, .. } = &mut *self.0;
        let mut deflater = deflate.pool().deflater(*form);
        deflater.begin(history.as_ref());
        let len = deflater.whole(data).map(<[u8]>::len);
        if let Some(len) = len {
            put_output(&mut deflater, len, first | header::COMPRESSED, masks.as_mut(), out);
            if let Some(history) = history {
                history.push(data);
            }
        }
        deflate.pool().give_deflater(deflater);
        len.is_some()
    }
}

impl Pieces {
    fn begun(&mut self) -> Option<&mut Deflater> {
        match self {
            Self::Plain | Self::Due => None,
            Self::Begun(deflater) => Some(deflater),
        }
    }
}

/// Writes a frame with an owned payload.
fn put_owned(first: u8, payload: Bytes, masks: Option<&mut Masks>, out: &mut Outbox) {
    match masks {
        None => header::put_owned(first, payload, out),
        Some(masks) => header::put_masked(first, &payload, masks, out),
    }
}

/// Writes the first `len` bytes of the latest output as a frame.
fn put_output(deflater: &mut Deflater, len: usize, first: u8, masks: Option<&mut Masks>, out: &mut Outbox) {
    if len < OWNED || masks.is_some() {
        header::put(first, deflater.output(len), masks, out);
    } else {
        header::put_owned(first, deflater.take_output(len), out);
    }
}
