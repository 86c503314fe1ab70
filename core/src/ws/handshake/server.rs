//! The server's side of the opening handshake on a connection of this crate. RFC 6455 4.2.

use super::acceptance::{Acceptance, Agreed};
use super::key::Accept;
use super::refusal::NotAHandshake;
use crate::http::server::{self, Exchange};
use crate::http::{Date, Field, FieldSection};
use crate::ws::Socket;

impl Exchange {
    /// Accepts a WebSocket handshake. Writes the 101. The socket receives the bytes after the request.
    ///
    /// # Errors
    ///
    /// Returns the exchange, to be answered, with the reason why the handshake cannot be accepted.
    /// [`NotAHandshake::head`] has the head of the matching refusal.
    pub fn accept(
        self,
        acceptance: Acceptance,
        date: Option<&Date>,
    ) -> Result<Socket, (NotAHandshake, Self)> {
        let (accept, agreed) = match self.agree(acceptance) {
            Ok(agreed) => agreed,
            Err(reason) => return Err((reason, self)),
        };
        let mut conn = self.into_conn();
        let mut section = FieldSection::new().with(Field::own("sec-websocket-accept", accept.as_bytes()));
        agreed.tell(&mut section);
        server::write_switch("websocket", &section, date, &mut conn.outbox);
        Ok(agreed.open(conn))
    }

    fn agree(&self, acceptance: Acceptance) -> Result<(Accept, Agreed), NotAHandshake> {
        let (is_get, version, has_content) = (self.is_get(), self.version(), self.has_content());
        let (accept, request) = NotAHandshake::check_upgrade(is_get, version, self.asks(), has_content)?;
        Ok((accept, acceptance.agree(request)?))
    }
}
