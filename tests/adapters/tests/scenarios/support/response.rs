//! A response as a client reads it, strictly: what is not whole is no response.

use std::io;

use super::Client;
use super::client::Text;

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The fields behind a chunked body.
    pub(crate) trailers: Vec<(String, String)>,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} {:?}", self.status, self.fields, Text(&self.body))
    }
}

/// What a client saw instead of a whole response.
#[derive(Debug)]
pub(crate) enum Cut {
    /// The stream ended before the head did. How much of it had come.
    InHead(usize),
    /// The stream ended cleanly within a body whose length shows that it was cut. How much of it had come.
    InBody(Response),
    /// The connection failed.
    Reset(io::ErrorKind),
}

enum Fault {
    End,
    Failed(io::ErrorKind),
}

type Fields = Vec<(String, String)>;

impl Response {
    /// The values of a field, joined.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let values: Vec<_> =
            self.fields.iter().filter(|(found, _)| found == name).map(|(_, v)| &**v).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub(crate) fn announces_close(&self) -> bool {
        self.field("connection").is_some_and(|value| value == "close")
    }

    pub(super) fn read(client: &mut Client, method: &str) -> Result<Self, Cut> {
        let head = match until(client, b"\r\n\r\n") {
            Ok(head) => head,
            Err(Fault::End) => return Err(Cut::InHead(client.ahead.len())),
            Err(Fault::Failed(kind)) => return Err(Cut::Reset(kind)),
        };
        let head = String::from_utf8(head).unwrap();
        let (line, fields) = head.split_once("\r\n").unwrap();
        let status = line.strip_prefix("HTTP/1.1 ").and_then(|line| line.get(..3)).unwrap();
        let mut response =
            Self { status: status.parse().unwrap(), fields: parse(fields), body: vec![], trailers: vec![] };
        match response.read_body(client, method) {
            Ok(()) => Ok(response),
            Err(Fault::End) => Err(Cut::InBody(response)),
            Err(Fault::Failed(kind)) => Err(Cut::Reset(kind)),
        }
    }

    fn read_body(&mut self, client: &mut Client, method: &str) -> Result<(), Fault> {
        if method == "HEAD" || self.status < 200 || matches!(self.status, 204 | 304) {
            return Ok(());
        }
        if self.field("transfer-encoding").is_some_and(|coding| coding == "chunked") {
            assert!(self.field("content-length").is_none());
            loop {
                let line = until(client, b"\r\n")?;
                let size = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim_end(), 16).unwrap();
                if size == 0 {
                    break;
                }
                self.take(client, size)?;
                assert_eq!(until(client, b"\r\n")?, b"\r\n");
            }
            loop {
                let line = until(client, b"\r\n")?;
                if line == b"\r\n" {
                    return Ok(());
                }
                self.trailers.extend(parse(std::str::from_utf8(&line).unwrap()));
            }
        }
        if let Some(length) = self.field("content-length") {
            return self.take(client, length.parse().unwrap());
        }
        // Until the close: a clean end is the end, a reset is not.
        let end = loop {
            match client.fill() {
                Ok(0) => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(Fault::Failed(error.kind())),
            }
        };
        self.body = std::mem::take(&mut client.ahead);
        end
    }

    fn take(&mut self, client: &mut Client, mut len: usize) -> Result<(), Fault> {
        loop {
            let piece = client.ahead.len().min(len);
            self.body.extend(client.ahead.drain(..piece));
            len -= piece;
            if len == 0 {
                return Ok(());
            }
            fill(client)?;
        }
    }
}

fn until(client: &mut Client, end: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut from = 0;
    loop {
        if let Some(at) = client.ahead[from..].windows(end.len()).position(|window| window == end) {
            return Ok(client.ahead.drain(..from + at + end.len()).collect());
        }
        from = client.ahead.len().saturating_sub(end.len() - 1);
        fill(client)?;
    }
}

fn fill(client: &mut Client) -> Result<(), Fault> {
    match client.fill() {
        Ok(0) => Err(Fault::End),
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::Failed(error.kind())),
    }
}

fn parse(lines: &str) -> Fields {
    let lines = lines.split("\r\n").filter(|line| !line.is_empty());
    lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect()
}
