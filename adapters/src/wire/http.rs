//! What HTTP receives on a connection, in either role.

use endwell_core::http::server::RequestBody;
use endwell_core::http::{Ready, client};
use endwell_core::{Deadline, Error, Inbox, Instant, Pace};

use super::asking::Asking;

/// What HTTP receives on a connection, in either role.
pub(crate) enum Http {
    /// Nothing: a server is between requests, or another protocol has the connection.
    Nothing,
    /// The body of the request that a handler answers.
    Request(RequestBody),
    /// All that a client receives. Behind a pointer: the connections of a server have none.
    Asking(Box<Asking>),
}

/// A body that arrives.
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
    /// The body of the request that is open.
    pub(crate) fn request(&mut self) -> Option<&mut RequestBody> {
        match self {
            Self::Request(body) => Some(body),
            Self::Nothing | Self::Asking(_) => None,
        }
    }

    /// Takes the body of the request that is open: its exchange ends, or becomes something else.
    pub(crate) fn take_request(&mut self) -> Option<RequestBody> {
        match std::mem::replace(self, Self::Nothing) {
            Self::Request(body) => Some(body),
            other @ (Self::Nothing | Self::Asking(_)) => {
                *self = other;
                None
            }
        }
    }

    /// What a client asks.
    pub(crate) fn asking(&mut self) -> Option<&mut Asking> {
        match self {
            Self::Asking(asking) => Some(asking),
            Self::Nothing | Self::Request(_) => None,
        }
    }

    /// The body that arrives, of a request or of a response.
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

    /// Where received bytes go.
    pub(super) fn inbox(&mut self) -> Option<&mut Inbox> {
        match self {
            Self::Request(body) => Some(body.inbox()),
            Self::Asking(asking) => asking.inbox(),
            Self::Nothing => None,
        }
    }
}
