//! Hands the connection to another protocol.

use super::exchange::Exchange;
use super::{Inner, closing_grace};
use crate::Upgraded;
use crate::http::server::{NotSwitched, write_switch, write_tunnel};
use crate::http::{Date, FieldSection};

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
    ) -> Result<Upgraded, (NotSwitched, Self)> {
        let is_whole = !self.has_content_to_come();
        let refused = match self.asks() {
            None => Some(NotSwitched::NotOffered),
            Some(head) => NotSwitched::check_switch(head, is_whole, protocol),
        };
        if let Some(reason) = refused {
            return Err((reason, self));
        }
        let mut inner = self.into_inner();
        write_switch(protocol, fields, date, &mut inner.conn.outbox);
        Ok(upgraded(inner))
    }

    /// Opens the tunnel that a CONNECT asks for. Writes a 200 with `fields`. RFC 9110 9.3.6.
    ///
    /// # Errors
    ///
    /// Returns the exchange, to be answered, if the request is not a CONNECT or has content.
    pub fn tunnel(self, fields: &FieldSection, date: Option<&Date>) -> Result<Upgraded, (NotSwitched, Self)> {
        let is_whole = !self.has_content_to_come();
        let refused = match self.asks() {
            None => Some(NotSwitched::NotConnect),
            Some(head) => NotSwitched::check_tunnel(head, is_whole),
        };
        if let Some(reason) = refused {
            return Err((reason, self));
        }
        let mut inner = self.into_inner();
        write_tunnel(fields, date, &mut inner.conn.outbox);
        Ok(upgraded(inner))
    }
}

fn upgraded(inner: Inner) -> Upgraded {
    let grace = closing_grace(&inner);
    Upgraded::new(inner.conn, grace)
}
