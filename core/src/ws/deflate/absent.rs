//! Stand-ins for compression without feature `deflate`: types without a value.

use bytes::Bytes;

use crate::Outbox;
use crate::ws::failure::Cause;
use crate::ws::limits::SocketLimits;
use crate::ws::receive::content::Content;
use crate::ws::receive::message::Taken;
use crate::ws::wire::mask::Masks;

/// The state that a receiving half would need for decompression.
#[derive(Debug)]
pub(in crate::ws) enum Receiving {}

impl Receiving {
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        match *self {}
    }
}

/// What would decompress a message in flight.
#[derive(Debug)]
pub(in crate::ws) enum Inflating {}

impl Inflating {
    pub(in crate::ws) fn new(receiving: Receiving) -> Self {
        match receiving {}
    }

    pub(in crate::ws) fn is_idle(&self) -> bool {
        match *self {}
    }

    pub(in crate::ws) const fn room() -> usize {
        0
    }

    pub(in crate::ws) fn take(&mut self, _: &[u8]) {
        match *self {}
    }

    pub(in crate::ws) fn earn(&mut self, _: u64) {
        match *self {}
    }

    pub(in crate::ws) fn keep(&mut self, _: &Content) {
        match *self {}
    }

    pub(in crate::ws) fn step(
        &mut self,
        _: &mut Content,
        _: Taken,
        _: &SocketLimits,
    ) -> Result<usize, Cause> {
        match *self {}
    }

    pub(in crate::ws) fn end(&mut self) -> Result<(), Cause> {
        match *self {}
    }

    pub(in crate::ws) fn into_receiving(self) -> Receiving {
        match self {}
    }

    pub(in crate::ws) fn held_bytes(&self) -> usize {
        match *self {}
    }
}

/// The state that a sender would need for compression.
#[derive(Debug)]
pub(in crate::ws) enum Sending {}

impl Sending {
    pub(in crate::ws) fn masks(&mut self) -> Option<&mut Masks> {
        match *self {}
    }

    pub(in crate::ws) fn put(&mut self, _: u8, _: &[u8], _: &mut Outbox) {
        match *self {}
    }

    pub(in crate::ws) fn put_bytes(&mut self, _: u8, _: Bytes, _: Compression, _: &mut Outbox) {
        match *self {}
    }

    pub(in crate::ws) fn put_shared(
        &mut self,
        _: u8,
        _: &Bytes,
        _: Compression,
        _: &SharedForm,
        _: &mut Outbox,
    ) -> bool {
        match *self {}
    }

    pub(in crate::ws) fn begin_pieces(&mut self, _: Compression) {
        match *self {}
    }

    pub(in crate::ws) fn put_piece(&mut self, _: u8, _: Bytes, _: &mut Outbox) {
        match *self {}
    }

    pub(in crate::ws) fn end_pieces(&mut self, _: u8, _: &mut Outbox) {
        match *self {}
    }

    pub(in crate::ws) fn held_bytes(&self) -> usize {
        match *self {}
    }
}

/// Whether a message would be compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::ws) enum Compression {
    #[default]
    BySize,
}

/// A shared message's compressed form, if there were one.
#[derive(Clone, Debug, Default)]
pub(in crate::ws) struct SharedForm(());
