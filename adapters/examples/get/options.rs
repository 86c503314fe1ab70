//! What the command line says.

use std::fs;
use std::io::{self, Read};

use endwell::client::{Scheme, Url};

use crate::console::help;
use crate::reach::Reach;

pub(crate) const USAGE: &str = "usage: get [options] URL...
  -i, --include        the heads too, and the trailers, which are asked for
  -I, --head           the heads only
  -f, --fail           no body, and exit status 22, if the status is 400 or more
  -X, --request NAME   the method (GET, or POST with a body)
  -H, --header FIELD   one more field, 'name: value'; Host stands for the URL's
  -d, --data BODY      a body; @FILE reads it from a file without its line ends, @- from standard input;
                       several are joined with &
      --data-binary BODY   the same, as it is
  -s, --silent         no progress, which is shown for large bodies that do not go to the terminal themselves";

pub(crate) const STATUSES: &str = "
It ends with 0 if every response came whole, and else with the status of the first that did not: 2 for what is no
request, 7 without a connection, 18 for a body that was cut off, 22 with --fail, 23 if standard output takes no more, 52
without an answer, 55 if the server did not take the request, and 1 for anything else.";

#[derive(Default)]
pub(crate) struct Options {
    pub(crate) urls: Vec<Url>,
    pub(crate) shows_head: bool,
    pub(crate) fails: bool,
    pub(crate) is_silent: bool,
    pub(crate) method: Option<String>,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

/// Reads the command line. Ends the program on `--help`.
pub(crate) fn read() -> Result<(Options, Reach), lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options::default();
    let mut reach = Reach::default();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('i') | Long("include") => options.shows_head = true,
            Short('I') | Long("head") => {
                options.shows_head = true;
                options.method.get_or_insert_with(|| "HEAD".to_owned());
            }
            Short('f') | Long("fail") => options.fails = true,
            Short('s') | Long("silent") => options.is_silent = true,
            Short('X') | Long("request") => options.method = Some(arguments.value()?.string()?),
            Short('H') | Long("header") => options.fields.push(field(&arguments.value()?.string()?)?),
            Short('d') | Long("data") => {
                let mut data = arguments.value()?.parse_with(data)?;
                if data.is_from_file {
                    data.bytes.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
                }
                options.add(data);
            }
            Long("data-binary") => options.add(arguments.value()?.parse_with(data)?),
            Short('h') | Long("help") => {
                help(format_args!("{USAGE}{}{STATUSES}", Reach::USAGE));
            }
            Value(text) => options.urls.push(url(&text.string()?)?),
            other @ (Short(_) | Long(_)) => {
                let name = Reach::name(&other);
                let unexpected = other.unexpected();
                if !reach.take(&name, &mut arguments)? {
                    return Err(unexpected);
                }
            }
        }
    }
    if options.urls.is_empty() {
        return Err("expected a URL".into());
    }
    Ok((options, reach))
}

impl Options {
    fn add(&mut self, data: Data) {
        match &mut self.body {
            Some(body) => {
                body.push(b'&');
                body.extend(data.bytes);
            }
            none => *none = Some(data.bytes),
        }
    }
}

/// The bytes of a body.
struct Data {
    bytes: Vec<u8>,
    is_from_file: bool,
}

fn data(text: &str) -> io::Result<Data> {
    let mut bytes = Vec::new();
    match text.strip_prefix('@') {
        None => return Ok(Data { bytes: text.into(), is_from_file: false }),
        Some("-") => drop(io::stdin().read_to_end(&mut bytes)?),
        Some(file) => bytes = fs::read(file)?,
    }
    Ok(Data { bytes, is_from_file: true })
}

fn field(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("expected 'name: value'")?;
    Ok((name.to_owned(), value.trim().to_owned()))
}

/// What was wrong is told without the text, in which there may be a password.
///
/// As curl does, text without a scheme is of `http`.
fn url(text: &str) -> Result<Url, String> {
    let has_scheme = text
        .split_once("://")
        .is_some_and(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let url = if has_scheme { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    let url = url.map_err(|error| error.to_string())?;
    match url.scheme() {
        Scheme::Http | Scheme::Https => Ok(url),
        Scheme::Ws | Scheme::Wss => Err("expected a URL of http or https".into()),
    }
}
