//! A body that waits for 100 Continue. RFC 9110 10.1.1.

use super::send::Body;

/// The right to write a request's body, withheld until the server asks for the body or its time to ask has passed.
///
/// If it is dropped, no further request can follow: the server was promised a body.
#[derive(Debug)]
#[must_use = "a body that is withheld for ever leaves the connection without a next request"]
pub struct Withheld(Body);

/// The server has asked for the body of a request, or its time to ask has passed. Each expectation yields one.
#[derive(Debug)]
#[must_use = "give it to `Withheld::proceed`"]
pub struct Continue(());

impl Continue {
    pub(super) fn new() -> Self {
        Self(())
    }
}

impl Withheld {
    pub(super) fn new(body: Body) -> Self {
        Self(body)
    }

    /// Releases the body for writing.
    pub fn proceed(self, told: Continue) -> Body {
        let Continue { .. } = told;
        self.0
    }
}
