//! The request target in its four forms, RFC 9112 3.2, and the host, RFC 9110 7.2.

use core::fmt;

use super::characters;
use super::method::Method;
use crate::Violation;

/// A request target. RFC 9112 3.2.
///
/// Path and query are as they were sent, byte for byte: nothing is decoded, escaped or normalized. They may hold
/// characters that RFC 3986 escapes, because browsers and other clients send them:
///
/// | | path | query |
/// |---|---|---|
/// | visible ASCII, including `"` `<` `>` `[` `]` `^` `` ` `` `{` `}` and a vertical bar | accepted | accepted |
/// | `%`, with or without two hexadecimal digits after it | accepted | accepted |
/// | unescaped UTF-8 | accepted | accepted |
/// | `\` | refused: some recipients, browsers among them, read it as a slash | accepted |
/// | `#` | refused: it begins a fragment, which is not sent | refused |
/// | controls, DEL, space, and bytes that are not UTF-8 | refused | refused |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// `/path?query`: the usual form.
    Origin {
        /// The path, from its first slash.
        path: &'a str,
        /// The text after the question mark, if there is one.
        query: Option<&'a str>,
    },
    /// `http://host/path?query`: the form that is sent to a proxy. Its authority replaces the Host field (RFC 9112
    /// 3.2.2).
    Absolute {
        /// The scheme as it came.
        scheme: &'a str,
        /// The host, with a port if one came.
        authority: &'a str,
        /// The path. `/` if none came (RFC 9110 4.2.3). Empty only with OPTIONS without a path and a query, which means
        /// the same as `*` (RFC 9112 3.2.4).
        path: &'a str,
        /// The text after the question mark, if there is one.
        query: Option<&'a str>,
    },
    /// `host:port`: only and always with CONNECT.
    Authority(&'a str),
    /// `*`: only with OPTIONS.
    Asterisk,
}

impl fmt::Display for Target<'_> {
    /// As it was sent, but for an absolute target without a path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, query) = match *self {
            Self::Origin { path, query } => (path, query),
            Self::Absolute { scheme, authority, path, query } => {
                write!(f, "{scheme}://{authority}")?;
                (path, query)
            }
            Self::Authority(authority) => (authority, None),
            Self::Asterisk => ("*", None),
        };
        f.write_str(path)?;
        query.map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

/// What was expected instead of an invalid target.
pub(in crate::http) struct InvalidTarget {
    expected: &'static str,
    section: &'static str,
}

impl InvalidTarget {
    pub(in crate::http) fn violation(&self, got: &[u8]) -> Violation {
        Violation::new(self.expected, got, self.section)
    }
}

impl<'a> Target<'a> {
    /// Reads a target. The method decides which forms are allowed.
    pub(in crate::http) fn parse(text: &'a [u8], method: Method<'_>) -> Result<Self, InvalidTarget> {
        let invalid = |expected, section| InvalidTarget { expected, section };
        let found = match (method, text) {
            (Method::Connect, authority) => {
                let port = is_authority(authority).filter(|authority| authority.host && authority.port);
                let text = port.and_then(|_| core::str::from_utf8(authority).ok());
                return text
                    .map(Self::Authority)
                    .ok_or_else(|| invalid("a host and a port as the target of CONNECT", "RFC 9112 3.2.3"));
            }
            (Method::Options, b"*") => return Ok(Self::Asterisk),
            (_, b"*") => return Err(invalid("the target * with OPTIONS only", "RFC 9112 3.2.4")),
            (_, [b'/', ..]) => Self::origin(text),
            _ => Self::absolute(text, method),
        };
        found.ok_or_else(|| {
            invalid("a path or an absolute URI of valid characters as the target", "RFC 9112 3.2")
        })
    }

    /// The path as it was sent. `/` if an absolute target has no path. Empty for the forms without a path.
    pub fn path(&self) -> &'a str {
        match *self {
            Self::Origin { path, .. } | Self::Absolute { path, .. } => path,
            Self::Authority(_) | Self::Asterisk => "",
        }
    }

    /// The query as it was sent, if there is one.
    pub fn query(&self) -> Option<&'a str> {
        match *self {
            Self::Origin { query, .. } | Self::Absolute { query, .. } => query,
            Self::Authority(_) | Self::Asterisk => None,
        }
    }

    fn origin(text: &'a [u8]) -> Option<Self> {
        let (path, query) = path_and_query(text)?;
        Some(Self::Origin { path, query })
    }

    fn absolute(text: &'a [u8], method: Method<'_>) -> Option<Self> {
        let colon = characters::find(b':', text)?;
        let (scheme, rest) = (text.get(..colon)?, text.get(colon..)?.strip_prefix(b"://")?);
        let scheme_is_valid = scheme.first()?.is_ascii_alphabetic()
            && scheme.iter().all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        let end = rest.iter().position(|&byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        // RFC 9110 4.2.1: an http URI with an empty host is invalid; 4.2.4: user information is an error.
        if !scheme_is_valid || !is_authority(authority)?.host {
            return None;
        }
        let (path, query) = path_and_query(rest)?;
        let path = if path.is_empty() { missing_path(query.is_some(), method) } else { path };
        let (scheme, authority) = (core::str::from_utf8(scheme).ok()?, core::str::from_utf8(authority).ok()?);
        Some(Self::Absolute { scheme, authority, path, query })
    }
}

/// The path of an absolute target without one. RFC 9110 4.2.3, and RFC 9112 3.2.4 for OPTIONS.
pub(in crate::http) fn missing_path(has_query: bool, method: Method<'_>) -> &'static str {
    if method == Method::Options && !has_query { "" } else { "/" }
}

fn path_and_query(text: &[u8]) -> Option<(&str, Option<&str>)> {
    // The path ends at the first question mark, which is none of its bytes.
    let path_len = characters::path_len(text);
    let (path, rest) = core::str::from_utf8(text).ok()?.split_at_checked(path_len)?;
    match rest.strip_prefix('?') {
        Some(query) => characters::is_query(query.as_bytes()).then_some((path, Some(query))),
        None => rest.is_empty().then_some((path, None)),
    }
}

/// Which parts of a valid authority are not empty.
pub(in crate::http) struct Authority {
    pub(in crate::http) host: bool,
    pub(in crate::http) port: bool,
}

/// Reads `uri-host [ ":" port ]`, RFC 9110 7.2. `None` if the text is not one.
pub(in crate::http) fn is_authority(text: &[u8]) -> Option<Authority> {
    let host_end = match text {
        [b'[', ..] => characters::find(b']', text)? + 1,
        _ => characters::find(b':', text).unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(host_end)?;
    let host_is_valid = match host {
        [b'[', inner @ .., b']'] => is_address(inner),
        _ => characters::is_registered_name(host),
    };
    let port = match rest {
        [] => rest,
        [b':', port @ ..] => port,
        _ => return None,
    };
    // The grammar has no bound for a port; TCP has (65535).
    let port_is_valid = port.is_empty()
        || (port.iter().all(u8::is_ascii_digit)
            && core::str::from_utf8(port).is_ok_and(|port| port.parse::<u16>().is_ok()));
    (host_is_valid && port_is_valid).then_some(Authority { host: !host.is_empty(), port: !port.is_empty() })
}

/// True for what may stand between brackets: an IPv6 address, or an address of a future version.
fn is_address(text: &[u8]) -> bool {
    if let [b'v' | b'V', rest @ ..] = text {
        let Some(dot) = characters::find(b'.', rest) else { return false };
        let (version, address) = rest.split_at(dot);
        return !version.is_empty()
            && version.iter().all(u8::is_ascii_hexdigit)
            && address.get(1..).is_some_and(characters::is_future_address);
    }
    core::str::from_utf8(text).is_ok_and(|text| text.parse::<core::net::Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse<'a>(text: &'a str, method: Method<'_>) -> Option<Target<'a>> {
        Target::parse(text.as_bytes(), method).ok()
    }

    #[test]
    fn the_four_forms() {
        let get = Method::Get;
        assert_eq!(parse("/", get), Some(Target::Origin { path: "/", query: None }));
        assert_eq!(parse("/a//b?", get), Some(Target::Origin { path: "/a//b", query: Some("") }));
        assert_eq!(
            parse("HTTP://[::1]:80?q", get),
            Some(Target::Absolute { scheme: "HTTP", authority: "[::1]:80", path: "/", query: Some("q") })
        );
        assert_eq!(parse("a.b:443", Method::Connect), Some(Target::Authority("a.b:443")));
        assert_eq!(parse("*", Method::Options), Some(Target::Asterisk));
    }

    #[test]
    fn an_absolute_target_without_a_path_has_the_root() {
        let of = |text, method| parse(text, method).map(|target| (target.path(), target.query()));
        assert_eq!(of("http://a", Method::Get), Some(("/", None)));
        assert_eq!(of("http://a?q", Method::Get), Some(("/", Some("q"))));
        assert_eq!(of("http://a", Method::Options), Some(("", None)));
        assert_eq!(of("http://a/", Method::Options), Some(("/", None)));
        assert_eq!(of("http://a?", Method::Options), Some(("/", Some(""))));
    }

    #[test]
    fn text_is_utf_8() {
        assert_eq!(parse("/\u{e9}?\u{e9}", Method::Get).map(|target| target.path()), Some("/\u{e9}"));
        for bad in [&b"/\xe9"[..], b"/?\xe9", b"/\xc3?\xa9", b"http://a/\xff"] {
            assert!(Target::parse(bad, Method::Get).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "a",
            "*",
            "a.b:80",
            "/#f",
            "/?#f",
            "/a b",
            "/\\",
            "/\u{7f}",
            "/?\0",
            "http:/a",
            "http://",
            "http:///a",
            "1http://a/",
        ] {
            assert_eq!(parse(bad, Method::Get), None, "{bad:?}");
        }
        for bad in ["http://u@h/", "http://h:99999/", "http://[::1/", "http://[::g]/", "http://h:8a/"] {
            assert_eq!(parse(bad, Method::Get), None, "{bad:?}");
        }
        for bad in ["", "/", "*", "a.b", "a.b:", ":80", "http://a.b:80", "u@a.b:80"] {
            assert_eq!(parse(bad, Method::Connect), None, "{bad:?}");
        }
    }

    #[test]
    fn hosts() {
        for good in
            ["", "a", "a:", "a:80", "127.0.0.1:65535", "[::ffff:1.2.3.4]", "[v1.a:b]", "xn--a", "a%2db"]
        {
            assert!(is_authority(good.as_bytes()).is_some(), "{good:?}");
        }
        for bad in [
            "a b", "a/b", "a:65536", "a:-1", "a:+1", "a:b", "[::1", "::1", "[]", "[v.a]", "a@b", "a,b:c",
            "a%2",
        ] {
            assert!(is_authority(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }
}
