//! A body that waits to be asked for. RFC 9110 10.1.1.

use super::send::Body;

/// The right to write a request's body, withheld until the server asks for it or has had the time to.
///
/// Dropping it leaves the connection without a next request: the server was promised a body.
#[derive(Debug)]
#[must_use = "a body that is withheld for ever leaves the connection without a next request"]
pub struct Withheld(Body);

/// The server has asked for the body of a request, or has had the time to. There is one for each expectation.
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

    /// The body can be written.
    pub fn proceed(self, told: Continue) -> Body {
        let Continue { .. } = told;
        self.0
    }
}
