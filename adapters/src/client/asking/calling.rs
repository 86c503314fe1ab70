//! A request that is open, with whatever right is left to write it.

use std::time::Duration;

use bytes::Bytes;
use endwell_core::http::client::{
    Again, Call, CallEvent, ClientConnection, Failure, Sent, Stopped, Withheld,
};
use endwell_core::http::{BodyWriter, FieldSection, Fields, InterimHead, ResponseHead, Streaming};
use endwell_core::{Io, Pace};

use crate::Ended;

/// A request that is open.
pub(crate) enum Calling {
    /// Its body is being written.
    Streaming(Call<Streaming>),
    /// Its body waits for the server to ask for it.
    Withheld(Call<Withheld>),
    /// It is complete.
    Sent(Call<Sent>),
    /// It was cut off.
    Stopped(Call<Stopped>),
}

/// What has come before the body.
pub(crate) enum Found {
    Nothing,
    Continue,
    Interim(InterimHead),
    Head,
    Failed(Failure),
}

/// What has come of the body.
pub(crate) enum Part {
    Data(Bytes),
    Trailers(Fields),
    End,
    Failed(Ended),
}

macro_rules! in_each {
    ($self:ident, $call:ident => $result:expr) => {
        match $self {
            Self::Streaming($call) => $result,
            Self::Withheld($call) => $result,
            Self::Sent($call) => $result,
            Self::Stopped($call) => $result,
        }
    };
}

impl Calling {
    pub(crate) fn io(&mut self) -> Io<'_> {
        in_each!(self, call => call.io())
    }

    pub(crate) fn is_untouched(&self) -> bool {
        in_each!(self, call => call.is_untouched())
    }

    /// True if no further request can follow, whatever comes.
    pub(crate) fn is_last(&self) -> bool {
        in_each!(self, call => call.is_last())
    }

    pub(crate) fn announced(&self) -> Option<u64> {
        in_each!(self, call => call.announced())
    }

    /// The bytes of the body still to come, if known.
    pub(crate) fn remaining(&mut self) -> Option<u64> {
        in_each!(self, call => call.answer().remaining())
    }

    /// True if the response was received to its end.
    pub(crate) fn is_done(&mut self) -> bool {
        in_each!(self, call => call.answer().is_done())
    }

    pub(crate) fn take_head(&mut self) -> Option<ResponseHead> {
        in_each!(self, call => call.take_head())
    }

    pub(crate) fn set_response_time(&mut self, time: Option<Duration>) {
        in_each!(self, call => call.set_response_time(time));
    }

    pub(crate) fn set_body_pace(&mut self, pace: Pace) {
        in_each!(self, call => call.set_body_pace(pace));
    }

    fn event(&mut self) -> Option<CallEvent<'_>> {
        in_each!(self, call => call.answer().event())
    }

    /// What has come before the body.
    pub(crate) fn find(&mut self) -> Found {
        match self.event() {
            None => Found::Nothing,
            Some(CallEvent::Continue) => Found::Continue,
            Some(CallEvent::Interim(head)) => Found::Interim(head.clone()),
            Some(CallEvent::Failed(failure)) => Found::Failed(failure),
            // The head comes before any part of the body.
            Some(CallEvent::Head(_) | CallEvent::Data(_) | CallEvent::Trailers(_) | CallEvent::End) => {
                Found::Head
            }
        }
    }

    /// What has come of the body.
    pub(crate) fn part(&mut self) -> Option<Part> {
        Some(match self.event()? {
            CallEvent::Data(data) => Part::Data(data.take()),
            CallEvent::Trailers(fields) => Part::Trailers(fields.clone()),
            CallEvent::Failed(failure) => Part::Failed(match failure {
                Failure::Unanswered => Ended::BY_PEER,
                Failure::Error(error) => Ended::of_error(error),
            }),
            CallEvent::End => Part::End,
            // They came before the body.
            CallEvent::Continue | CallEvent::Interim(_) | CallEvent::Head(_) => return None,
        })
    }

    /// True if the request may still become complete.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Streaming(_) | Self::Withheld(_))
    }

    /// The writer of the body.
    pub(crate) fn writer(&mut self) -> Option<BodyWriter<'_>> {
        match self {
            Self::Streaming(call) => Some(call.writer()),
            Self::Withheld(_) | Self::Sent(_) | Self::Stopped(_) => None,
        }
    }

    /// The server wants the body.
    pub(crate) fn proceed(self) -> Self {
        match self {
            Self::Withheld(call) => Self::Streaming(call.proceed()),
            other => other,
        }
    }

    /// Ends the body, or cuts it off if it is too short.
    pub(crate) fn finish(self, trailers: Option<&FieldSection>) -> Self {
        match self {
            Self::Streaming(call) => match call.finish(trailers) {
                Ok(call) => Self::Sent(call),
                Err(call) => Self::Stopped(call.stop()),
            },
            other => other,
        }
    }

    /// Writes no more of the body.
    pub(crate) fn stop(self) -> Self {
        match self {
            Self::Streaming(call) => Self::Stopped(call.stop()),
            Self::Withheld(call) => Self::Stopped(call.stop()),
            other => other,
        }
    }

    /// The next request can be sent, if this one and its response are complete.
    pub(crate) fn next(self) -> Option<ClientConnection> {
        match self {
            Self::Sent(call) => match call.next() {
                Again::Client(client) => Some(client),
                Again::Unread(_) | Again::Closed(_) => None,
            },
            Self::Streaming(_) | Self::Withheld(_) | Self::Stopped(_) => None,
        }
    }
}
