//! URLs from and to those of the `http` crate. Its heads, methods, status codes and fields are converted in the core,
//! which defines their counterparts.

use ::http::uri::{InvalidUri, Uri};
use bytes::Bytes;

use super::url::{InvalidUrl, Url};

impl TryFrom<&Uri> for Url {
    type Error = InvalidUrl;

    /// Fails for a URI without scheme and host, with another scheme, or with user information.
    fn try_from(uri: &Uri) -> Result<Self, InvalidUrl> {
        Self::parse(&uri.to_string())
    }
}

impl TryFrom<Uri> for Url {
    type Error = InvalidUrl;

    /// As from a reference.
    fn try_from(uri: Uri) -> Result<Self, InvalidUrl> {
        Self::try_from(&uri)
    }
}

impl TryFrom<&Url> for Uri {
    type Error = InvalidUri;

    /// Fails for characters that `Uri` refuses, such as `<` and a backtick, and for a host with a percent escape.
    ///
    /// ```
    /// use endwell::client::Url;
    ///
    /// let url = Url::parse("wss://example.com:443/chat?room=1#top")?;
    /// let uri = http::Uri::try_from(&url)?;
    /// assert_eq!(uri, "wss://example.com/chat?room=1");
    /// assert_eq!(Url::try_from(&uri)?, url);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn try_from(url: &Url) -> Result<Self, InvalidUri> {
        Self::from_maybe_shared(Bytes::from(url.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_url_goes_there_and_back(
            scheme in prop::sample::select(vec!["http", "https", "ws", "wss", "WSS"]),
            host in "[a-z0-9.-]{1,9}|\\[::1\\]|\\[fe80::1%25[a-z]{1,4}\\]",
            port in proptest::option::of(1_u16..),
            target in "(/[!$-;=@-Z_a-z|~\u{e9}]{0,12})?(\\?[!$-;=?@-Z_a-z|~\u{e9}]{0,9})?",
        ) {
            let port = port.map_or_else(String::new, |port| format!(":{port}"));
            let text = format!("{scheme}://{host}{port}{target}");
            let Ok(url) = Url::parse(&text) else { return Err(TestCaseError::reject("a host that is none")) };
            let uri = Uri::try_from(&url).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
            prop_assert_eq!(uri.path_and_query().map(::http::uri::PathAndQuery::as_str), Some(url.target()));
            prop_assert_eq!(Url::try_from(&uri), Ok(url));
        }
    }

    #[test]
    fn what_is_stricter_there_or_here() {
        for text in ["http://a/<", "http://a/`", "http://a%2db/"] {
            let url = Url::parse(text).unwrap();
            assert!(Uri::try_from(&url).is_err(), "{text}");
        }
        for (text, why) in [
            ("/a", InvalidUrl::Scheme),
            ("a:80", InvalidUrl::Scheme),
            ("*", InvalidUrl::Scheme),
            ("ftp://a/", InvalidUrl::Scheme),
            ("http://u:p@a/", InvalidUrl::UserInformation),
        ] {
            assert_eq!(Url::try_from(&Uri::from_static(text)), Err(why), "{text}");
        }
    }
}
