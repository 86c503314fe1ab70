//! A call, whatever its right.

use endwell_core::Io;
use endwell_core::http::Streaming;
use endwell_core::http::client::{Answer, Call, Sent, Withheld};

/// How far the request is.
pub enum Sending {
    Withheld(Call<Withheld>),
    Streaming(Call<Streaming>),
    Sent(Call<Sent>),
}

impl Sending {
    pub fn io(&mut self) -> Io<'_> {
        match self {
            Self::Withheld(call) => call.io(),
            Self::Streaming(call) => call.io(),
            Self::Sent(call) => call.io(),
        }
    }

    pub fn answer(&mut self) -> Answer<'_> {
        match self {
            Self::Withheld(call) => call.answer(),
            Self::Streaming(call) => call.answer(),
            Self::Sent(call) => call.answer(),
        }
    }

    pub fn is_last(&self) -> bool {
        match self {
            Self::Withheld(call) => call.is_last(),
            Self::Streaming(call) => call.is_last(),
            Self::Sent(call) => call.is_last(),
        }
    }

    pub fn is_until_close(&self) -> bool {
        match self {
            Self::Withheld(call) => call.is_until_close(),
            Self::Streaming(call) => call.is_until_close(),
            Self::Sent(call) => call.is_until_close(),
        }
    }
}
