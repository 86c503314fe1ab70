//! What a request is by RFC 6455 4.2.1, read a second time and in another way.

use endwell_core::http::{Method, RequestHead, Version};
use endwell_core::ws::Origins;

#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    /// With this Sec-WebSocket-Accept.
    Accept(String),
    /// By this name.
    Refuse(&'static str),
}

/// What must come of `request`, in the order in which things are said to be wrong.
pub fn wanted(request: &RequestHead, origins: &Origins, chosen: Option<&str>) -> Wanted {
    let values = |name: &str| -> Vec<String> {
        let fields = request.fields().iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        // One character per byte: nothing is lost.
        fields.map(|(_, value)| value.iter().map(|&byte| char::from(byte)).collect()).collect()
    };
    let list = |name: &str| -> Vec<String> {
        let joined = values(name).join(",");
        let blank = |c: char| c == ' ' || c == '\t';
        joined.split(',').map(|e| e.trim_matches(blank).to_owned()).filter(|e| !e.is_empty()).collect()
    };
    let holds = |name: &str, word: &str| list(name).iter().any(|e| e.to_ascii_lowercase() == word);
    let key = values("sec-websocket-key");
    let protocols = list("sec-websocket-protocol");
    let is_token = |text: &String| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)) && !text.is_empty()
    };
    let length = values("content-length").iter().any(|value| value.bytes().any(|b| matches!(b, b'1'..=b'9')));
    let failed = [
        (request.method() != Method::Get, "Method"),
        (request.version() != Version::Http11, "HttpVersion"),
        (!holds("upgrade", "websocket"), "NotAsked"),
        (!holds("connection", "upgrade"), "Connection"),
        (values("sec-websocket-version") != ["13"], "Version"),
        (key.len() != 1 || !is_key(&key[0]), "Key"),
        (length || !values("transfer-encoding").is_empty(), "Content"),
        (!protocols.iter().all(is_token), "Subprotocols"),
        (chosen.is_some_and(|chosen| !protocols.iter().any(|e| e == chosen)), "SubprotocolNotOffered"),
        (!may_connect(&values("origin"), request, origins), "Origin"),
    ];
    match failed.into_iter().find(|(failed, _)| *failed) {
        Some((_, name)) => Wanted::Refuse(name),
        None => {
            let text = format!("{}258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key[0]);
            Wanted::Accept(base64(&sha1(text.as_bytes())))
        }
    }
}

/// The answer is the 101 that RFC 6455 4.2.2 asks for.
pub fn check_switch(written: &[u8], accept: &str, chosen: Option<&str>) {
    let text = std::str::from_utf8(written).expect("a head is ASCII");
    let mut lines = text.strip_suffix("\r\n\r\n").expect("one whole head").split("\r\n");
    assert_eq!(lines.next(), Some("HTTP/1.1 101 Switching Protocols"));
    let mut fields: Vec<_> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    fields.sort_unstable();
    let mut wanted = vec![
        ("connection", "upgrade"),
        ("sec-websocket-accept", accept),
        ("set-cookie", "a=b"),
        ("upgrade", "websocket"),
    ];
    wanted.extend(chosen.map(|chosen| ("sec-websocket-protocol", chosen)));
    wanted.sort_unstable();
    assert_eq!(fields, wanted);
}

/// 22 characters of base64, the last of which stands for two bits, and `==`.
fn is_key(key: &str) -> bool {
    let Some(digits) = key.strip_suffix("==").filter(|digits| digits.chars().count() == 22) else {
        return false;
    };
    digits.chars().all(|c| c.is_ascii_alphanumeric() || c == '+' || c == '/')
        && digits.ends_with(['A', 'Q', 'g', 'w'])
}

fn may_connect(values: &[String], request: &RequestHead, origins: &Origins) -> bool {
    let [origin] = values else { return values.is_empty() || *origins == Origins::Any };
    let known = |host: &str, scheme: &str| {
        let port = if scheme == "https" { 443 } else { 80 };
        let authority = request.authority().unwrap_or_default().to_ascii_lowercase();
        let host = host.to_ascii_lowercase();
        let with_port = format!(":{port}");
        authority.strip_suffix(&with_port).unwrap_or(&authority)
            == host.strip_suffix(&with_port).unwrap_or(&host)
    };
    match origins {
        Origins::Any => true,
        Origins::List(list) => {
            list.iter().any(|listed| listed.to_ascii_lowercase() == origin.to_ascii_lowercase())
        }
        Origins::Same => ["http", "https"].iter().any(|scheme| {
            origin.strip_prefix(&format!("{scheme}://")).is_some_and(|host| known(host, scheme))
        }),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let word = part.iter().fold(0, |word, &byte| word << 8 | u32::from(byte)) << (8 * (3 - part.len()));
        for digit in 0..=part.len() {
            text.push(char::from(DIGITS[(word >> (18 - 6 * digit) & 0x3f) as usize]));
        }
        text.push_str(&"=="[..3 - part.len()]);
    }
    text
}

/// RFC 3174, for a message of less than two blocks.
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks(64) {
        let mut words: Vec<u32> =
            block.chunks(4).map(|w| u32::from_be_bytes(w.try_into().unwrap())).collect();
        for i in 16..80 {
            words.push((words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16]).rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (i, word) in words.iter().enumerate() {
            let (f, k) = match i / 20 {
                0 => ((b & c) | (!b & d), 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let next = a.rotate_left(5).wrapping_add(f).wrapping_add(e).wrapping_add(k).wrapping_add(*word);
            (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
        }
        for (total, part) in state.iter_mut().zip([a, b, c, d, e]) {
            *total = total.wrapping_add(part);
        }
    }
    let mut digest = [0; 20];
    for (place, byte) in digest.iter_mut().zip(state.iter().flat_map(|word| word.to_be_bytes())) {
        *place = byte;
    }
    digest
}
