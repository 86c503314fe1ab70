//! Stand-ins for compression without feature `deflate`: types without a value.

use bytes::Bytes;

use super::Progress;
use crate::ws::failure::Cause;
use crate::ws::limits::Limits;
use crate::ws::receive::reassembly::{Gathered, Place};
use crate::ws::wire::header::Header;
use crate::ws::wire::kind::Kind;
use crate::ws::wire::mask::Masks;
use crate::{Inbox, Outbox, time};

/// The state that a receiving half would need for decompression.
#[derive(Debug)]
pub(in crate::ws) enum Receiving {}

impl Receiving {
    pub(in crate::ws) fn held_bytes(&self) -> usize {
        match *self {}
    }
}

/// A compressed message that would be in flight.
#[derive(Debug)]
pub(in crate::ws) enum Inflating {}

impl Inflating {
    pub(in crate::ws) fn whole(_: Kind, receiving: &Receiving) -> Self {
        match *receiving {}
    }

    pub(in crate::ws) fn pieces(_: Kind, receiving: &Receiving) -> Self {
        match *receiving {}
    }

    pub(in crate::ws) fn kind(&self) -> Kind {
        match *self {}
    }

    pub(in crate::ws) fn place(&self) -> Place {
        match *self {}
    }

    pub(in crate::ws) fn is_gathered(&self) -> bool {
        match *self {}
    }

    pub(in crate::ws) fn is_skipped(&self) -> bool {
        match *self {}
    }

    pub(in crate::ws) fn is_between_frames(&self) -> bool {
        match *self {}
    }

    pub(in crate::ws) fn go_on_in_pieces(&mut self) {
        match *self {}
    }

    pub(in crate::ws) fn skip_rest(&mut self) {
        match *self {}
    }

    pub(in crate::ws) fn start(&mut self, _: &Header, _: &mut Receiving, _: &Limits) -> Result<(), Cause> {
        match *self {}
    }

    pub(in crate::ws) fn advance(
        &mut self,
        _: &mut Inbox,
        _: &mut time::Clock,
        _: &mut Receiving,
        _: &Limits,
    ) -> Result<Progress, Cause> {
        match *self {}
    }

    pub(in crate::ws) fn hand_out(&mut self) -> &mut Gathered {
        match *self {}
    }

    pub(in crate::ws) fn into_gathered(self, _: &Receiving) -> Gathered {
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
