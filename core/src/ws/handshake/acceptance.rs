//! The terms on which a server accepts a handshake.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::origin::Origins;
use super::refusal::NotAHandshake;
use super::subprotocol::{SUBPROTOCOLS, Subprotocol};
use crate::http::{Field, FieldSection, RequestHead};
use crate::io::Conn;
use crate::ws::limits::SocketLimits;
use crate::ws::receive::keep_alive::Jitter;
use crate::ws::{Role, Socket};

/// The terms on which a server accepts a handshake.
///
/// ```
/// use endwell_core::ws::{Acceptance, SocketLimits, Origins};
///
/// let acceptance = Acceptance::new(SocketLimits::default().into()).origins(Origins::Any);
/// # let _ = acceptance;
/// ```
#[derive(Clone, Debug)]
#[must_use = "give it to `Exchange::accept`"]
pub struct Acceptance {
    limits: Arc<SocketLimits>,
    origins: Origins,
    subprotocol: Option<Subprotocol>,
    /// Those of which the first that is offered is chosen.
    supported: Vec<Box<str>>,
    fields: FieldSection,
    jitter: Jitter,
    #[cfg(feature = "deflate")]
    deflate: Option<Arc<crate::ws::Deflate>>,
}

impl Acceptance {
    /// Accepts the same Origin, without a subprotocol or further fields.
    pub fn new(limits: Arc<SocketLimits>) -> Self {
        Self {
            limits,
            origins: Origins::Same,
            subprotocol: None,
            supported: Vec::new(),
            fields: FieldSection::new(),
            jitter: Jitter::default(),
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// Sets which sites' pages may connect. Default [`Origins::Same`].
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// Sets the subprotocol: one of those that the request offers, [`Subprotocol::offered`]. Default: no subprotocol.
    pub fn subprotocol(mut self, subprotocol: Subprotocol) -> Self {
        self.subprotocol = Some(subprotocol);
        self
    }

    /// Chooses the first of these subprotocols that the request offers, or no subprotocol if it offers none of them: the
    /// client then decides whether to go on. RFC 6455 4.2.2. Default: no subprotocol.
    ///
    /// ```
    /// # use endwell_core::ws::{Acceptance, SocketLimits};
    /// let acceptance = Acceptance::new(SocketLimits::default().into()).subprotocols(["chat.v2", "chat.v1"]);
    /// # let _ = acceptance;
    /// ```
    pub fn subprotocols(mut self, supported: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        self.supported = supported.into_iter().map(Into::into).collect();
        self
    }

    /// Sets fields for the 101, for example a cookie.
    pub fn fields(mut self, fields: FieldSection) -> Self {
        self.fields = fields;
        self
    }

    /// The fields for the 101, to change them.
    pub fn fields_mut(&mut self) -> &mut FieldSection {
        &mut self.fields
    }

    /// Spreads the keep-alive pings of many connections. Default: `Jitter(0)` for each.
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Sets how messages are compressed if the client offers it: permessage-deflate, RFC 7692. By default, and with
    /// `None`, they are not compressed.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, deflate: Option<Arc<crate::ws::Deflate>>) -> Self {
        self.deflate = deflate;
        self
    }
}

impl Acceptance {
    /// Checks what every form of the handshake has, and agrees with the client.
    pub(super) fn agree(mut self, request: &RequestHead) -> Result<Agreed, NotAHandshake> {
        NotAHandshake::check_terms(request, &self)?;
        if self.subprotocol.is_none() && !self.supported.is_empty() {
            let mut offered: Vec<_> = Subprotocol::offered(request).collect();
            let chosen =
                self.supported.iter().find_map(|name| offered.iter().position(|one| one.as_str() == &**name));
            self.subprotocol = chosen.map(|at| offered.swap_remove(at));
        }
        #[cfg(feature = "deflate")]
        let agreement = match &self.deflate {
            None => None,
            Some(deflate) => {
                let offers = request.fields().get_all("sec-websocket-extensions");
                crate::ws::Agreement::answer(offers, deflate)
                    .map_err(|crate::ws::MalformedExtensions| NotAHandshake::Extensions)?
            }
        };
        Ok(Agreed {
            terms: self,
            #[cfg(feature = "deflate")]
            agreement,
        })
    }

    pub(super) fn allows(&self, request: &RequestHead) -> Result<(), NotAHandshake> {
        if self.subprotocol.as_ref().is_some_and(|chosen| !chosen.is_offered(request)) {
            return Err(NotAHandshake::SubprotocolNotOffered);
        }
        if !self.origins.allow(request) {
            return Err(NotAHandshake::Origin);
        }
        Ok(())
    }
}

/// The terms that a request meets.
pub(super) struct Agreed {
    terms: Acceptance,
    #[cfg(feature = "deflate")]
    agreement: Option<crate::ws::Agreement>,
}

impl Agreed {
    /// Adds the fields of the response that tell the client what was agreed on.
    pub(super) fn tell(&self, section: &mut FieldSection) {
        if let Some(subprotocol) = &self.terms.subprotocol {
            section.push(Field::own(SUBPROTOCOLS, subprotocol.as_str().as_bytes()));
        }
        #[cfg(feature = "deflate")]
        if let Some(agreement) = &self.agreement {
            section.push(Field::own("sec-websocket-extensions", agreement.field().as_bytes()));
        }
        section.append(&self.terms.fields);
    }

    /// Makes the socket.
    pub(super) fn open(self, conn: Conn) -> Socket {
        let Acceptance { limits, subprotocol, jitter, .. } = self.terms;
        let socket = Socket::new(conn, Role::Server, limits, jitter, subprotocol.map(Subprotocol::into_text));
        #[cfg(feature = "deflate")]
        if let Some(agreement) = &self.agreement {
            return socket.deflate(agreement);
        }
        socket
    }

    /// The bound of what is received and not taken.
    pub(super) fn limits(&self) -> &SocketLimits {
        &self.terms.limits
    }
}
