//! Paths and queries, decoded: by the crates `percent-encoding` and `form_urlencoded`.

use alloc::borrow::Cow;
use core::str::Utf8Error;

use crate::http::{RequestHead, Target};

impl<'a> Target<'a> {
    /// The segments of the path, between its slashes, decoded. None for the forms without a path.
    ///
    /// A path that ends with a slash has an empty last segment. A segment may hold a slash, and it may be `..`: check it
    /// before it becomes a part of a file's name.
    ///
    /// ```
    /// use endwell_core::http::Target;
    ///
    /// let target = Target::Origin { path: "/files/caf%C3%A9/a%2Fb", query: None };
    /// let segments: Vec<_> = target.path_segments().collect::<Result<_, _>>()?;
    /// assert_eq!(segments, ["files", "caf\u{e9}", "a/b"]);
    /// # Ok::<(), core::str::Utf8Error>(())
    /// ```
    ///
    /// Each is an error instead if it is not UTF-8 once decoded.
    pub fn path_segments(&self) -> impl Iterator<Item = Result<Cow<'a, str>, Utf8Error>> + use<'a> {
        let path = self.path();
        let segments = path.strip_prefix('/').map(|path| path.split('/'));
        segments
            .into_iter()
            .flatten()
            .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8())
    }

    /// The names and values of the query, as HTML forms and browsers write them: between `&` and `=`, with `+` for a space,
    /// decoded. What is not UTF-8 is replaced by U+FFFD.
    ///
    /// ```
    /// use endwell_core::http::Target;
    ///
    /// let target = Target::Origin { path: "/", query: Some("q=a+b&tag=%C3%A9&tag") };
    /// let pairs: Vec<_> = target.query_pairs().collect();
    /// assert_eq!(pairs, [("q".into(), "a b".into()), ("tag".into(), "\u{e9}".into()), ("tag".into(), "".into())]);
    /// ```
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a> {
        form_urlencoded::parse(self.query().unwrap_or_default().as_bytes())
    }
}

impl RequestHead {
    /// The segments of the path, decoded: see [`Target::path_segments`].
    pub fn path_segments(&self) -> impl Iterator<Item = Result<Cow<'_, str>, Utf8Error>> {
        self.target().path_segments()
    }

    /// The names and values of the query, decoded: see [`Target::query_pairs`].
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.target().query_pairs()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn segments() {
        let of = |path| Target::Origin { path, query: None }.path_segments().collect::<Result<Vec<_>, _>>();
        assert_eq!(of("/"), Ok(vec!["".into()]));
        assert_eq!(of("/a//b/"), Ok(vec!["a".into(), "".into(), "b".into(), "".into()]));
        assert_eq!(of("/%2e%2E/+%"), Ok(vec!["..".into(), "+%".into()]));
        assert!(of("/a/%ff").is_err());
        assert_eq!(
            Target::Asterisk.path_segments().count() + Target::Authority("a:1").path_segments().count(),
            0
        );
    }

    #[test]
    fn pairs() {
        let of = |query| Target::Origin { path: "/", query }.query_pairs().collect::<Vec<_>>();
        assert_eq!(of(None), []);
        assert_eq!(of(Some("&&")), []);
        assert_eq!(
            of(Some("a=b=c&=&%ff")),
            [("a".into(), "b=c".into()), ("".into(), "".into()), ("\u{fffd}".into(), "".into())]
        );
    }
}
