//! Gets what URLs lead to, with the habits of curl; `--help` lists its options.
//!
//! The bytes of the bodies, and nothing else, go to standard output; errors go to standard error. URLs of one origin go over
//! one connection. It ends with 0 only if every response came whole.

#[path = "../console/mod.rs"]
mod console;
mod options;
mod output;
#[path = "../reach/mod.rs"]
mod reach;
mod request;

use std::process::ExitCode;

use endwell::client::{Pool, PoolLimits, Url};
use endwell::{ClientConfig, Connector};

use console::tell;
use options::{Options, STATUSES, USAGE};
use reach::Program;

/// Why something was not got, and what the program ends with ([`STATUSES`]): the numbers are curl's.
struct Failed {
    code: u8,
    text: String,
}

impl Failed {
    const OTHER: u8 = 1;
    const USAGE: u8 = 2;
    const NOT_CONNECTED: u8 = 7;
    const CUT_OFF: u8 = 18;
    const STATUS: u8 = 22;
    const NOT_WRITTEN: u8 = 23;
    const UNANSWERED: u8 = 52;
    const NOT_TAKEN: u8 = 55;

    fn new(code: u8, text: impl ToString) -> Self {
        Self { code, text: text.to_string() }
    }
}

struct Get<'a> {
    options: &'a Options,
    urls: &'a [Url],
}

impl Program for Get<'_> {
    type Output = u8;

    /// What the program ends with: the first failure's number.
    async fn run<C: Connector>(self, connector: C) -> u8 {
        let mut config = ClientConfig::default();
        // What is too much is for whoever reads the output to say.
        config.http.body_bytes = u64::MAX;
        let pool = Pool::new(connector, config, PoolLimits::default());
        let mut code = 0;
        for url in self.urls {
            if let Err(failed) = request::get(&pool, url, self.options).await {
                tell(format_args!("get: {}{}: {}", url.origin(), url.target(), failed.text));
                code = if code == 0 { failed.code } else { code };
            }
        }
        code
    }
}

fn main() -> ExitCode {
    let (options, reach) = match options::read() {
        Ok(read) => read,
        Err(error) => {
            tell(format_args!("get: {error}\n{USAGE}{}{STATUSES}", reach::Reach::USAGE));
            return ExitCode::from(Failed::USAGE);
        }
    };
    match reach.run(&options.urls, Get { options: &options, urls: &options.urls }) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tell(format_args!("get: {error}"));
            ExitCode::from(Failed::OTHER)
        }
    }
}
