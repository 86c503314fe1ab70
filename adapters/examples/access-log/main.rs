//! Writes an access log to standard output: a line for each exchange in the combined format of Apache and nginx, with the
//! name of the exchange, its time in seconds, and what went wrong. Ctrl-C ends it.
//!
//! `access-log [ADDRESS]`. The first line is the address that it listens on.

use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;

use endwell::{Exchange, ExchangeReport, ServerConfig, http::StatusCode, serve};

fn line(report: &ExchangeReport) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let value = |name| report.head().and_then(|head| head.fields().get(name));
    let field = |name| or_dash(value(name).map(|value| value.escape_ascii().to_string()));
    let wrong = report.error().map(ToString::to_string).or(report.cause().map(ToString::to_string));
    format!(
        "{} - - [{}] \"{}\" {} {} \"{}\" \"{}\" {} {:.3} \"{}\"",
        or_dash(report.peer_address().ip().map(|ip| ip.to_string())),
        date(report),
        report.request_line(),
        or_dash(report.status().map(|status| status.to_string())),
        report.sent_bytes(),
        field("referer"),
        field("user-agent"),
        report.id(),
        report.time().as_secs_f64(),
        or_dash(wrong).escape_debug(),
    )
}

/// In the form `10/Oct/2000:13:55:36 +0000`.
fn date(report: &ExchangeReport) -> String {
    let date = httpdate::fmt_http_date(report.began_at());
    match date.split(' ').collect::<Vec<_>>()[..] {
        [_, day, month, year, time, _] => format!("{day}/{month}/{year}:{time} +0000"),
        _ => date,
    }
}

async fn handle(exchange: Exchange) -> Result<endwell::Answered, io::Error> {
    match exchange.path() {
        "/" => Ok(exchange.respond(StatusCode::OK, "hello\n")),
        "/fails" => Err(io::Error::other("the database is gone")),
        _ => Ok(exchange.respond(StatusCode::NOT_FOUND, "not here\n")),
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let mut out = io::stdout();
    writeln!(out, "{}", listener.local_addr()?)?;
    // A reader of the log that is slow must not hold a connection up.
    let (log, lines) = mpsc::channel();
    let writer = thread::spawn(move || lines.iter().try_for_each(|line: String| writeln!(out, "{line}")));
    let config = ServerConfig::default().on_exchange(move |report| {
        // It fails only when nothing reads the log any more.
        let _ = log.send(line(report));
    });
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or(()) };
    serve(listener, config, handle).until(stop).await;
    writer.join().unwrap_or(Ok(()))
}
