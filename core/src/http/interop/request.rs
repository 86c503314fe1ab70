//! Heads of requests from and to those of the `http` crate.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::ToString;

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ::http::uri::{Authority, Uri};
use bytes::Bytes;

use super::InvalidHead;
use super::fields::field;
use crate::http::grammar::characters;
use crate::http::received::persistence::Persistence;
use crate::http::{Connect, InvalidRequest, Method, Request, RequestHead, Target, Version};
use crate::{Error, Violation};

impl TryFrom<RequestHead> for ::http::Request<()> {
    type Error = ::http::Error;

    /// Target and fields share the memory of the head, which also goes into the extensions.
    ///
    /// Fails for a target with characters that [`Uri`] refuses, such as `<` and a backtick: clients send them, and RFC 3986 does
    /// not allow them.
    fn try_from(head: RequestHead) -> Result<Self, ::http::Error> {
        let mut request = Self::new(());
        *request.method_mut() = head.method().try_into()?;
        *request.uri_mut() = Uri::from_maybe_shared(head.fields().share(head.target_str().as_bytes()))?;
        *request.version_mut() = head.version().into();
        *request.headers_mut() = head.fields().try_into()?;
        request.extensions_mut().insert(head);
        Ok(request)
    }
}

impl TryFrom<&::http::request::Parts> for RequestHead {
    type Error = Error;

    /// Makes the head of a request that another library received, as [`from_parts`](RequestHead::from_parts).
    ///
    /// The authority of the URI becomes the Host field if there is none. An extended CONNECT becomes a GET, with whose target
    /// and fields it is judged ([`Acceptance::accept_connect`](crate::ws::Acceptance::accept_connect)).
    fn try_from(parts: &::http::request::Parts) -> Result<Self, Error> {
        let (uri, headers) = (&parts.uri, &parts.headers);
        let path = uri.path_and_query().map(::http::uri::PathAndQuery::as_str);
        let (method, target) = match (Method::try_from(&parts.method), path) {
            (Ok(Method::Connect), Some(path)) => (Method::Get, path),
            (Ok(Method::Connect), None) => (Method::Connect, uri.authority().map_or("", Authority::as_str)),
            (Ok(method), path) => (method, path.unwrap_or("/")),
            (Err(_), _) => {
                return Err(Violation::new(
                    "a token as the method",
                    parts.method.as_str().as_bytes(),
                    "RFC 9110 9.1",
                )
                .into());
            }
        };
        let version =
            if parts.version == ::http::Version::HTTP_10 { Version::Http10 } else { Version::Http11 };
        let authority = uri.authority().filter(|_| !headers.contains_key(header::HOST));
        let host = authority.map(|authority| ("host", authority.as_str().as_bytes()));
        let fields = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        Self::from_parts(method, target, version, host.into_iter().chain(fields))
    }
}

impl TryFrom<Target<'_>> for Uri {
    type Error = ::http::uri::InvalidUri;

    /// Fails for characters that [`Uri`] refuses.
    fn try_from(target: Target<'_>) -> Result<Self, Self::Error> {
        Self::from_maybe_shared(Bytes::from(target.to_string()))
    }
}

impl TryFrom<&Request> for ::http::Request<()> {
    type Error = ::http::Error;

    /// The host becomes the Host field. `TE: trailers` and `Connection: close` are added if the head asks for them.
    fn try_from(head: &Request) -> Result<Self, ::http::Error> {
        let mut request = Self::new(());
        *request.method_mut() = head.method().try_into()?;
        *request.uri_mut() = Uri::try_from(head.target())?;
        let mut headers = HeaderMap::try_from(head.fields())?;
        headers.try_insert(header::HOST, HeaderValue::from_str(head.host())?)?;
        if head.takes_trailers() {
            headers.try_insert(header::TE, TRAILERS)?;
        }
        if head.persistence == Persistence::Close {
            headers.try_insert(header::CONNECTION, CLOSE)?;
        }
        *request.headers_mut() = headers;
        Ok(request)
    }
}

impl TryFrom<&Connect> for ::http::Request<()> {
    type Error = ::http::Error;

    fn try_from(head: &Connect) -> Result<Self, ::http::Error> {
        Self::try_from(&head.0)
    }
}

const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

impl<T> TryFrom<&::http::Request<T>> for Request {
    type Error = InvalidHead;

    /// The body is not looked at.
    ///
    /// The host is that of the Host field, and without one that of the URI, where the default port of its scheme is left
    /// out. The target is the path of the URI with its query. `TE: trailers` becomes
    /// [`with_trailers`](Request::with_trailers), and `Connection: close` becomes [`last`](Request::last). The version is
    /// ignored: it is one of a connection, and not of a request (RFC 9110 2.5).
    fn try_from(request: &::http::Request<T>) -> Result<Self, InvalidHead> {
        let (uri, headers) = (request.uri(), request.headers());
        let method = Method::try_from(request.method()).map_err(InvalidRequest::from)?;
        let host = host(uri, headers)?;
        let mut head = Self::new(method, host, &target(uri))?;
        for (name, value) in headers {
            head = add(head, name, value)?;
        }
        Ok(head)
    }
}

impl<T> TryFrom<&::http::Request<T>> for Connect {
    type Error = InvalidHead;

    /// The authority of the URI is where the tunnel leads to. Fails for other methods than CONNECT.
    fn try_from(request: &::http::Request<T>) -> Result<Self, InvalidHead> {
        if request.method() != ::http::Method::CONNECT {
            return Err(InvalidRequest::Method.into());
        }
        let authority = request.uri().authority().ok_or(InvalidRequest::Host)?;
        let mut head = Self::new(authority.as_str())?;
        for (name, value) in request.headers() {
            head = Self(add(head.0, name, value)?);
        }
        Ok(head)
    }
}

/// The host of a request, without the port if it is the default of the scheme.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Result<&'a str, InvalidRequest> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => return host.to_str().map_err(|_not_ascii| InvalidRequest::Host),
        // RFC 9112 3.2: two hosts are an error.
        (Some(_), Some(_)) => return Err(InvalidRequest::Host),
        (None, _) => {}
    }
    let authority = uri.authority().ok_or(InvalidRequest::Host)?;
    let is_default = match (uri.scheme_str(), authority.port_u16()) {
        (Some("http" | "ws"), Some(80)) | (Some("https" | "wss"), Some(443)) => true,
        (_, port) => port.is_none(),
    };
    // RFC 9110 4.2.4: user information is not sent. With it, the authority is not a valid host.
    let has_user = authority.as_str().contains('@');
    Ok(if is_default && !has_user { authority.host() } else { authority.as_str() })
}

/// Path and query. RFC 9112 3.2.1: an empty path is sent as a slash.
fn target(uri: &Uri) -> Cow<'_, str> {
    match uri.path_and_query().map(::http::uri::PathAndQuery::as_str) {
        None => "/".into(),
        Some(query) if query.starts_with('?') => format!("/{query}").into(),
        Some(target) => target.into(),
    }
}

fn add(head: Request, name: &HeaderName, value: &HeaderValue) -> Result<Request, InvalidHead> {
    let options = || characters::list(value.as_bytes()).map(<[u8]>::to_ascii_lowercase);
    if *name == header::HOST {
        return Ok(head);
    }
    if *name == header::TE && options().all(|coding| coding == b"trailers") {
        return Ok(head.with_trailers());
    }
    if *name == header::CONNECTION && options().all(|option| [&b"close"[..], b"te"].contains(&&option[..])) {
        return Ok(if options().any(|option| option == b"close") { head.last() } else { head });
    }
    field(name, value).map(|field| head.with(field))
}
