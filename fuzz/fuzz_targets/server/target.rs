//! What a target may be, read a second time and in another way.

use endwell_core::http::{Method, RequestHead, Target};

/// The parts, put together again, stand in `stream`, and are of bytes that a target can have.
pub fn check(request: &RequestHead, stream: &[u8]) {
    let target = request.target();
    let query = target.query().map_or_else(String::new, |query| format!("?{query}"));
    assert_eq!(target.path(), request.path());
    let (forms, path) = match target {
        Target::Origin { path, .. } => (vec![format!("{path}{query}")], Some(path)),
        Target::Absolute { scheme, authority, path, .. } => {
            let before = format!("{scheme}://{authority}");
            let without_path = format!("{before}{query}");
            let form = format!("{before}{path}{query}");
            let path = (request.method() != Method::Options || !query.is_empty()).then_some(path);
            (if path.is_none_or(|path| path == "/") { vec![form, without_path] } else { vec![form] }, path)
        }
        Target::Authority(authority) => (vec![authority.to_owned()], None),
        Target::Asterisk => (vec!["*".to_owned()], None),
    };
    let stands = |form: &String| {
        let line = format!(" {form} HTTP/1.");
        stream.windows(line.len()).any(|window| window == line.as_bytes())
    };
    assert!(forms.iter().any(stands), "{target:?} is not in the stream");
    assert!(path.is_none_or(|path| path.starts_with('/') && !path.contains(['?', '\\'])), "{target:?}");
    let forbidden = |c: char| c.is_ascii_control() || c == ' ' || c == '#';
    assert!(!forms.concat().contains(forbidden), "{target:?}");
}
