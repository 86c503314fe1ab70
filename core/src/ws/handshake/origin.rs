//! Which sites' pages may open a WebSocket. RFC 6455 10.2, RFC 6454.

use alloc::string::String;
use alloc::vec::Vec;

use crate::http::RequestHead;

/// Which sites' pages may open a WebSocket.
///
/// A browser sends the Origin of the page with every handshake, and the user's cookies too. Without this check, any
/// page could talk to the server in the user's name. A request without Origin does not come from a page, and passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// The site that the request is for: the host and port of the Origin are those of the request. The scheme is not
    /// compared, since the proxy that ends TLS may not pass it on. The default port of the scheme may be omitted.
    #[default]
    Same,
    /// These origins, as browsers write them: `https://example.com`, `http://localhost:8080`.
    List(Vec<String>),
    /// All origins. The server must then authenticate requests by something that another site's page does not have.
    Any,
}

impl Origins {
    /// True if `request` comes from no page, or from one that may connect.
    pub fn allow(&self, request: &RequestHead) -> bool {
        let mut lines = request.fields().get_all("origin");
        let Some(first) = lines.next() else { return true };
        let origin = core::str::from_utf8(first).ok().filter(|_| lines.next().is_none());
        match (self, origin) {
            (Self::Any, _) => true,
            (_, None) => false,
            (Self::List(list), Some(origin)) => list.iter().any(|known| known.eq_ignore_ascii_case(origin)),
            (Self::Same, Some(origin)) => is_same(origin, request.authority()),
        }
    }
}

fn is_same(origin: &str, authority: Option<&str>) -> bool {
    // The Origin of a page without one is `null`, which names no site.
    let Some((scheme, site)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let bare = |authority: &str| -> String {
        authority.strip_suffix(default_port).unwrap_or(authority).to_ascii_lowercase()
    };
    authority.is_some_and(|authority| bare(site) == bare(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_site_is_the_same_host_and_port() {
        for (origin, authority, same) in [
            ("http://example.com", "example.com", true),
            ("https://example.com", "EXAMPLE.com", true),
            ("http://example.com", "example.com:80", true),
            ("https://example.com", "example.com:443", true),
            ("http://example.com", "example.com:443", false),
            ("http://example.com:8080", "example.com:8080", true),
            ("http://example.com:8080", "example.com", false),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://example.com.evil.org", "example.com", false),
            ("http://evil.org", "example.com", false),
            ("null", "example.com", false),
            ("file://", "example.com", false),
            ("ws://example.com", "example.com", false),
            ("example.com", "example.com", false),
            ("", "example.com", false),
        ] {
            assert_eq!(is_same(origin, Some(authority)), same, "{origin} at {authority}");
        }
        assert!(!is_same("http://example.com", None));
    }
}
