//! The server's side of the opening handshake on a request that another library received: over HTTP/1.1, and over HTTP/2
//! and HTTP/3, where a stream carries the WebSocket (RFC 8441, RFC 9220).

use alloc::sync::Arc;

use super::acceptance::{Acceptance, Agreed};
use super::refusal::NotAHandshake;
use crate::http::{Field, FieldSection, Method, RequestHead};
use crate::io::Conn;
use crate::ws::Socket;
use crate::{Inbox, OutboxLimits};

impl Acceptance {
    /// Accepts a WebSocket that a request of HTTP/1.1 asks for, which another library received. Returns the fields of the
    /// 101 for that library to send, and the socket for the bytes after both heads.
    ///
    /// ```
    /// use endwell_core::OutboxLimits;
    /// use endwell_core::http::{Method, RequestHead, Version};
    /// use endwell_core::ws::{Acceptance, SocketLimits};
    ///
    /// let fields: [(&str, &[u8]); 5] = [
    ///     ("Host", b"example.com"),
    ///     ("Connection", b"Upgrade"),
    ///     ("Upgrade", b"websocket"),
    ///     ("Sec-WebSocket-Version", b"13"),
    ///     ("Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    /// ];
    /// let request = RequestHead::from_parts(Method::Get, "/chat", Version::Http11, fields)?;
    /// let acceptance = Acceptance::new(SocketLimits::default().into());
    /// let (fields, _socket) = acceptance.accept_upgrade(&request, OutboxLimits::default())?;
    /// assert_eq!(fields.get("sec-websocket-accept"), Some(&b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="[..]));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Why the request is not a handshake that can be accepted. [`NotAHandshake::head`] has the head of the matching refusal.
    pub fn accept_upgrade(
        self,
        request: &RequestHead,
        output: impl Into<Arc<OutboxLimits>>,
    ) -> Result<(FieldSection, Socket), NotAHandshake> {
        let fields = request.fields();
        let lengths = fields.get_all("content-length").any(|length| length != b"0");
        let has_content = lengths || fields.get("transfer-encoding").is_some();
        let is_get = request.method() == Method::Get;
        let (accept, _) =
            NotAHandshake::check_upgrade(is_get, request.version(), Some(request), has_content)?;
        let agreed = self.agree(request)?;
        let mut section = FieldSection::new()
            .with(Field::own("connection", b"upgrade"))
            .with(Field::own("upgrade", b"websocket"))
            .with(Field::own("sec-websocket-accept", accept.as_bytes()));
        agreed.tell(&mut section);
        Ok((section, agreed.on_stream(output)))
    }

    /// Accepts a WebSocket that an extended CONNECT of HTTP/2 or HTTP/3 asks for. Returns the fields of the 200 for the other
    /// library to send, and the socket for the bytes of the stream. RFC 8441 5, RFC 9220.
    ///
    /// `protocol` is the pseudo-header `:protocol`. `request` has the path, the fields, and a Host field of `:authority`, as a
    /// GET would have them. The handshake has no key and no answer to it, and no Upgrade.
    ///
    /// A reset of the stream is what a reset of the connection is to HTTP/1.1 (RFC 8441 5).
    ///
    /// # Errors
    ///
    /// Why the request is not a handshake that can be accepted. [`NotAHandshake::head_of_stream`] has the head of the matching
    /// refusal.
    pub fn accept_connect(
        self,
        protocol: &str,
        request: &RequestHead,
        output: impl Into<Arc<OutboxLimits>>,
    ) -> Result<(FieldSection, Socket), NotAHandshake> {
        if protocol != "websocket" {
            return Err(NotAHandshake::Protocol);
        }
        NotAHandshake::check_version(request)?;
        let agreed = self.agree(request)?;
        let mut section = FieldSection::new();
        agreed.tell(&mut section);
        Ok((section, agreed.on_stream(output)))
    }
}

impl Agreed {
    fn on_stream(self, output: impl Into<Arc<OutboxLimits>>) -> Socket {
        let inbox = Inbox::new(self.limits().received());
        self.open(Conn::new(inbox, output))
    }
}
