//! The HTTP input of a connection, for both roles.

use endwell_core::http::server::RequestBody;
use endwell_core::http::{Ready, client};
use endwell_core::{Deadline, Error, Inbox, Instant, Pace};

use super::asking::Asking;

/// The HTTP input of a connection, for both roles.
pub(crate) enum Http {
    /// Nothing: a server is between requests, or another protocol has the connection.
    Nothing,
    /// The body of the request that a handler answers.
    Request(RequestBody),
    /// All input of a client. Boxed: connections of a server do not have it.
    Asking(Box<Asking>),
}

/// A body that is being received.
pub(super) trait Arriving {
    fn inbox(&mut self) -> &mut Inbox;
    fn poll(&mut self) -> Result<Option<Ready>, Error>;
    fn pause(&mut self, now: Instant);
    fn deadline(&self) -> Option<Deadline>;
    fn set_pace(&mut self, pace: Pace);
}

macro_rules! arriving {
    ($body:ty) => {
        impl Arriving for $body {
            fn inbox(&mut self) -> &mut Inbox {
                self.inbox()
            }

            fn poll(&mut self) -> Result<Option<Ready>, Error> {
                self.poll()
            }

            fn pause(&mut self, now: Instant) {
                self.pause(now);
            }

            fn deadline(&self) -> Option<Deadline> {
                self.deadline()
            }

            fn set_pace(&mut self, pace: Pace) {
                self.set_pace(pace);
            }
        }
    };
}

arriving!(RequestBody);
arriving!(client::ResponseBody);

impl Http {
    /// The body of the open request.
    pub(crate) fn request(&mut self) -> Option<&mut RequestBody> {
        match self {
            Self::Request(body) => Some(body),
            Self::Nothing | Self::Asking(_) => None,
        }
    }

    /// Takes the body of the open request: its exchange ends, or becomes something else.
    pub(crate) fn take_request(&mut self) -> Option<RequestBody> {
        match std::mem::replace(self, Self::Nothing) {
            Self::Request(body) => Some(body),
            other @ (Self::Nothing | Self::Asking(_)) => {
                *self = other;
                None
            }
        }
    }

    /// The state of a client.
    pub(crate) fn asking(&mut self) -> Option<&mut Asking> {
        match self {
            Self::Asking(asking) => Some(asking),
            Self::Nothing | Self::Request(_) => None,
        }
    }

    /// The body being received, of a request or of a response.
    pub(super) fn body(&mut self) -> Option<&mut dyn Arriving> {
        match self {
            Self::Request(body) => Some(body),
            Self::Asking(asking) => {
                let body = asking.body()?;
                Some(body)
            }
            Self::Nothing => None,
        }
    }

    /// The inbox for received bytes.
    pub(super) fn inbox(&mut self) -> Option<&mut Inbox> {
        match self {
            Self::Request(body) => Some(body.inbox()),
            Self::Asking(asking) => asking.inbox(),
            Self::Nothing => None,
        }
    }
}
