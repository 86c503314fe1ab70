//! Reads the usual environment variables.

use std::env;
use std::fmt;

use super::location::{InvalidProxy, Proxy};
use super::proxies::Proxies;

/// An environment variable that should name a proxy, and does not. Its value is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidVariable {
    /// The name of the variable.
    pub name: &'static str,
    /// What is wrong with it.
    pub reason: InvalidProxy,
}

impl fmt::Display for InvalidVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "environment variable {}: {}", self.name, self.reason)
    }
}

impl std::error::Error for InvalidVariable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.reason)
    }
}

impl Proxies {
    /// Reads the proxies from the environment, like curl:
    ///
    /// - `http_proxy`, then `HTTP_PROXY`, for origins of `http` and `ws`;
    /// - `https_proxy`, then `HTTPS_PROXY`, for those of `https` and `wss`;
    /// - `all_proxy`, then `ALL_PROXY`, for those that have none by now;
    /// - `no_proxy`, then `NO_PROXY`, for those that are reached [without](Self::except).
    ///
    /// An empty variable counts as unset. `HTTP_PROXY` is not read if `REQUEST_METHOD` is set: in a CGI program it is
    /// the field `Proxy` of a request, so the client would choose the proxy ("httpoxy", CVE-2016-5385). curl never
    /// reads it.
    ///
    /// # Errors
    ///
    /// If a variable that applies does not name a proxy. It is never ignored silently.
    pub fn from_env() -> Result<Self, InvalidVariable> {
        Self::from_variables(|name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads the proxies like [`from_env`](Self::from_env), from another environment.
    ///
    /// # Errors
    ///
    /// Those of [`from_env`](Self::from_env).
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidVariable> {
        let first = |names: &[&'static str]| {
            let mut values = names.iter().filter_map(|&name| Some((name, variable(name)?)));
            values.find(|(_, value)| !value.is_empty())
        };
        let proxy = |names: &[&'static str]| match first(names) {
            Some((name, value)) => {
                let proxy = Proxy::parse(&value).map_err(|reason| InvalidVariable { name, reason })?;
                Ok(Some(proxy))
            }
            None => Ok(None),
        };
        let is_cgi = variable("REQUEST_METHOD").is_some();
        let http = proxy(if is_cgi { &["http_proxy"] } else { &["http_proxy", "HTTP_PROXY"] })?;
        let https = proxy(&["https_proxy", "HTTPS_PROXY"])?;
        // It may be invalid if it is not needed.
        let all = if http.is_some() && https.is_some() { None } else { proxy(&["all_proxy", "ALL_PROXY"])? };
        let except = first(&["no_proxy", "NO_PROXY"]).map(|(_, list)| list).unwrap_or_default();
        Ok(Self { http: http.or_else(|| all.clone()), https: https.or(all), ..Self::default() }
            .except(&except))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Origin;

    fn read(variables: &[(&str, &str)]) -> Result<Proxies, InvalidVariable> {
        Proxies::from_variables(|name| {
            let value = variables.iter().find(|(known, _)| *known == name)?.1;
            Some(value.to_owned())
        })
    }

    /// The proxies for `http://a:80` and `https://a:443`.
    fn found(variables: &[(&str, &str)]) -> [Option<String>; 2] {
        let proxies = read(variables).unwrap_or_else(|error| panic!("{variables:?}: {error}"));
        [Origin::http("a", 80), Origin::https("a", 443).without_tls()]
            .map(|origin| proxies.of(&origin).map(Proxy::to_string))
    }

    #[test]
    fn which_variable_counts() {
        let p = |name: &str| Some(format!("http://{name}:1"));
        for (variables, expected) in [
            (&[][..], [None, None]),
            (&[("http_proxy", "p:1")], [p("p"), None]),
            (&[("HTTP_PROXY", "p:1")], [p("p"), None]),
            (&[("http_proxy", "p:1"), ("HTTP_PROXY", "q:1")], [p("p"), None]),
            (&[("http_proxy", ""), ("HTTP_PROXY", "q:1")], [p("q"), None]),
            (&[("https_proxy", "p:1")], [None, p("p")]),
            (&[("HTTPS_PROXY", "p:1"), ("https_proxy", "q:1")], [None, p("q")]),
            (&[("all_proxy", "p:1")], [p("p"), p("p")]),
            (&[("ALL_PROXY", "p:1"), ("https_proxy", "q:1")], [p("p"), p("q")]),
            (&[("ALL_PROXY", "p:1"), ("NO_PROXY", "x,a")], [None, None]),
            (&[("ALL_PROXY", "p:1"), ("NO_PROXY", "a"), ("no_proxy", "a:80")], [None, p("p")]),
        ] {
            assert_eq!(found(variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_request_to_a_cgi_program_names_no_proxy() {
        let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil:1"), ("HTTPS_PROXY", "p:1")];
        assert_eq!(found(&cgi), [None, Some("http://p:1".into())]);
        let lower = [("REQUEST_METHOD", ""), ("HTTP_PROXY", "evil:1"), ("http_proxy", "p:1")];
        assert_eq!(found(&lower), [Some("http://p:1".into()), None]);
    }

    #[test]
    fn a_variable_that_names_no_proxy() {
        let error =
            read(&[("ALL_PROXY", "gopher://u:hunter2@p")]).map_err(|error| format!("{error} {error:?}"));
        let Err(error) = error else { panic!("expected an error") };
        assert!(error.starts_with("environment variable ALL_PROXY: expected a proxy's scheme"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
