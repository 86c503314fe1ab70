//! What is known of a connection beside its bytes: its two ends, and what the layers below it have found out.

use std::any::Any;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// The two ends of a connection, and the facts that its layers know.
///
/// A [`Listener`](crate::Listener) or [`Connector`](crate::Connector) makes it, and each layer above may change it: a
/// layer that reads the PROXY protocol replaces [`peer`](Self::peer), and any layer can add a fact of its own type.
/// Handlers read facts with [`Exchange::info`](crate::Exchange::info).
///
/// A fact is also the place for state of a connection: [`ServerConfig::on_begin`](crate::ServerConfig::on_begin) adds one to each.
/// Facts are shared, so what changes in one is an atomic, or in a lock.
///
/// ```
/// use endwell::Info;
///
/// struct Tenant(&'static str);
///
/// let mut info = Info::default();
/// info.insert(Tenant("blue"));
/// assert_eq!(info.get::<Tenant>().unwrap().0, "blue");
/// ```
///
/// Without facts it allocates nothing. A clone shares them.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Info {
    /// The other side.
    pub peer: Address,
    /// This side.
    pub local: Address,
    /// True if the connection uses TLS, or a layer knows that the peer's connection does.
    pub is_secure: bool,
    facts: Option<Arc<Fact>>,
}

/// A fact, and those that were known before it.
struct Fact {
    value: Box<dyn Any + Send + Sync>,
    earlier: Option<Arc<Self>>,
}

impl Info {
    /// Makes one with these two ends, and without facts.
    pub fn new(peer: Address, local: Address) -> Self {
        Self { peer, local, ..Self::default() }
    }

    /// Adds a fact. It hides an earlier one of the same type.
    pub fn insert<T: Any + Send + Sync>(&mut self, fact: T) {
        self.facts = Some(Arc::new(Fact { value: Box::new(fact), earlier: self.facts.take() }));
    }

    /// Adds a fact that the layer learns later, when it sets `cell`: for example when a handshake has ended. Until then
    /// [`get`](Self::get) does not see it.
    pub fn insert_later<T: Any + Send + Sync>(&mut self, cell: Arc<OnceLock<T>>) {
        self.insert(cell);
    }

    /// The fact of this type that was added last. `None` if there is none yet.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        let facts = std::iter::successors(self.facts.as_deref(), |fact| fact.earlier.as_deref());
        facts.map(|fact| &*fact.value).find_map(|value| {
            let later = || value.downcast_ref::<Arc<OnceLock<T>>>()?.get();
            value.downcast_ref::<T>().or_else(later)
        })
    }
}

impl fmt::Debug for Info {
    /// Shows no facts: their types are unknown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Info")
            .field("peer", &self.peer)
            .field("local", &self.local)
            .field("is_secure", &self.is_secure)
            .finish_non_exhaustive()
    }
}

/// The address of one end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Address {
    /// The address of a TCP socket.
    Tcp(std::net::SocketAddr),
    /// The path of a Unix socket. Clients mostly have no path.
    Unix(Option<PathBuf>),
    /// Unknown: the transport was made from something else.
    #[default]
    Unknown,
}

impl Address {
    /// The IP address; `None` if it is not the address of a TCP socket.
    ///
    /// ```
    /// use endwell::Address;
    ///
    /// let address = Address::Tcp(([127, 0, 0, 1], 8080).into());
    /// assert!(address.ip().is_some_and(|ip| ip.is_loopback()));
    /// assert_eq!(Address::Unix(None).ip(), None);
    /// ```
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Unix(_) | Self::Unknown => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_fact_hides_an_earlier_one_of_its_type_once_it_is_known() {
        let mut info = Info::default();
        info.insert(1_u8);
        info.insert("text");
        let cell = Arc::default();
        info.insert_later::<u8>(Arc::clone(&cell));
        assert_eq!((info.get(), info.get(), info.get::<u64>()), (Some(&1_u8), Some(&"text"), None));
        let copy = info.clone();
        cell.set(2).unwrap();
        assert_eq!((info.get::<u8>(), copy.get::<u8>()), (Some(&2), Some(&2)));
    }

    #[test]
    fn facts_cost_one_word_where_there_are_none() {
        assert_eq!(size_of::<Info>(), 2 * size_of::<Address>() + 2 * size_of::<usize>());
    }
}
