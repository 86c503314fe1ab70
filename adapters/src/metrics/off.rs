//! Without feature `metrics`: values without size, and calls without code.

use endwell_core::http::RequestHead;

use crate::Ended;
use crate::connection::{Link, Settings};
use crate::server::ExchangeReport;

/// Nothing is counted, so there is no such value.
pub(crate) enum Active {}

impl Active {
    pub(crate) fn connection(_: &Settings) -> Option<Self> {
        None
    }

    pub(crate) fn request(_: &RequestHead, _: &Link) -> Option<Self> {
        None
    }

    pub(crate) fn upgraded(self, _: bool) -> Self {
        match self {}
    }

    pub(crate) fn end(self, _: &Ended) {
        match self {}
    }
}

pub(crate) fn record(_: &ExchangeReport) {}
