//! A request, and the right to respond to it.

use super::receive::RequestBody;
use super::respond::Responder;
use super::upgrade::{NotSwitched, write_switch, write_tunnel};
use crate::Outbox;
use crate::http::{Date, FieldSection, Request, Upgraded};

/// A request whose head has arrived, and the right to respond to it.
///
/// Take it apart to use `recv` and `send` side by side: a response can start while the request is still arriving. Or
/// hand the whole exchange to another protocol.
#[derive(Debug)]
#[must_use = "an exchange that is dropped closes the connection without an answer"]
pub struct Exchange {
    /// The head of the request.
    pub head: Request,
    /// Present if the client waits for 100 Continue before it sends the body. [`Responder::proceed`] takes it.
    pub expect: Option<Continue>,
    /// The receiving side.
    pub recv: RequestBody,
    /// The right to respond.
    pub send: Responder,
}

/// A client's expectation of 100 Continue, which can be met once. RFC 9110 10.1.1.
///
/// A request in HTTP/1.0, or without content, has none.
#[derive(Debug)]
pub struct Continue(());

impl Continue {
    pub(super) fn new() -> Self {
        Self(())
    }
}

impl Exchange {
    /// Switches to `protocol`, one of those that the request's Upgrade field offers. Writes a 101 with `fields`. RFC
    /// 9110 7.8.
    ///
    /// # Errors
    ///
    /// Returns the exchange, to be answered, with the reason why it cannot be switched.
    pub fn switch(
        self,
        protocol: &str,
        fields: &FieldSection,
        date: Option<&Date>,
        out: &mut Outbox,
    ) -> Result<Upgraded, (NotSwitched, alloc::boxed::Box<Self>)> {
        match NotSwitched::check_switch(&self.head, self.recv.is_done(), protocol) {
            None => {
                write_switch(protocol, fields, date, out);
                Ok(Upgraded::new(self.recv.into_parts().0))
            }
            Some(reason) => Err((reason, self.into())),
        }
    }

    /// Opens the tunnel that a CONNECT asks for. Writes a 200 with `fields`. RFC 9110 9.3.6.
    ///
    /// # Errors
    ///
    /// Returns the exchange, to be answered, if the request is not a CONNECT or has content.
    pub fn tunnel(
        self,
        fields: &FieldSection,
        date: Option<&Date>,
        out: &mut Outbox,
    ) -> Result<Upgraded, (NotSwitched, alloc::boxed::Box<Self>)> {
        match NotSwitched::check_tunnel(&self.head, self.recv.is_done()) {
            None => {
                write_tunnel(fields, date, out);
                Ok(Upgraded::new(self.recv.into_parts().0))
            }
            Some(reason) => Err((reason, self.into())),
        }
    }
}
