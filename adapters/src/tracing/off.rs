//! Without feature `tracing`: values without size, and calls without code.

use endwell_core::http::RequestHead;

use crate::server::ExchangeReport;
use crate::{Ended, Info, RequestId};

pub(crate) struct ConnectionSpan;

#[derive(Clone)]
pub(crate) struct ExchangeSpan;

impl ConnectionSpan {
    pub(crate) fn none() -> Self {
        Self
    }

    pub(crate) fn new(_: u64, _: &Info) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "a span has an end")]
    pub(crate) fn end(&self, _: &Ended) {}
}

#[expect(clippy::unused_self, reason = "a span has these")]
impl ExchangeSpan {
    pub(crate) fn is_wanted() -> bool {
        false
    }

    pub(crate) fn is_some(&self) -> bool {
        false
    }

    pub(crate) fn none() -> Self {
        Self
    }

    pub(crate) fn new(_: &ConnectionSpan, _: RequestId, _: Option<&RequestHead>, _: &Info) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn enter<R>(&self, act: impl FnOnce() -> R) -> R {
        act()
    }

    pub(crate) fn end(&self, _: &ExchangeReport) {}
}

#[cfg(feature = "blocking")]
pub(crate) fn current() -> ExchangeSpan {
    ExchangeSpan
}
