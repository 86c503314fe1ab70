//! A WebSocket client for a terminal; `--help` lists its options.
//!
//! Each line of input is sent as one text message, and each message that comes is printed on a line. The end of input
//! closes with 1000, and so does Ctrl-C; then the server's Close is waited for. A second Ctrl-C ends the program at once. It
//! ends with 0 after a clean close, with 2 for arguments that it does not know, and with 1 otherwise; how it ended is on standard error.

#[path = "../console/mod.rs"]
mod console;
mod input;
mod options;
#[path = "../reach/mod.rs"]
mod reach;

use std::cell::Cell;
use std::error::Error;
use std::future::pending;
use std::io::{self, Write};
use std::process::ExitCode;

use endwell::client::{self, NotUpgraded, ResponseReader, Switched};
use endwell::http::Field;
use endwell::ws::{CloseCode, Content, Message, ReceiveHalf, SendHalf, Socket};
use endwell::{ClientConfig, Connector, Ended, EndedKind, ws};
use smol::Timer;
use smol::future::{or, yield_now};

use console::tell;
use input::Input;
use options::{Options, STATUSES, USAGE};
use reach::{Program, Reach};

struct Chat<'a>(&'a Options);

impl Program for Chat<'_> {
    type Output = Result<Ended, Box<dyn Error>>;

    async fn run<C: Connector>(self, connector: C) -> Self::Output {
        let Self(options) = self;
        let socket = open(&connector, options).await?;
        let (interrupted, input) = (input::interrupted()?, input::lines());
        let (mut send, mut receive) = socket.split();
        let received = Cell::new(0);
        let reading = read(&mut receive, &received);
        let writing = async {
            write(&mut send, &input).await;
            // What answers the last line may still be on its way.
            let mut before = None;
            while before.replace(received.get()) != Some(received.get()) {
                Timer::after(options.linger).await;
            }
            Ok(())
        };
        let interrupted = async {
            interrupted.await;
            Ok(())
        };
        let talked = or(reading, or(writing, interrupted)).await;
        let ended = send.close(CloseCode::NORMAL).await;
        talked?;
        Ok(ended)
    }
}

async fn open(connector: &impl Connector, options: &Options) -> Result<Socket, Box<dyn Error>> {
    let Options { url, .. } = options;
    let mut config = ClientConfig::default();
    config.deflate = Some(ws::Deflate::default());
    let connection = client::Connection::connect(connector, &url.origin(), &config).await;
    let connection = connection.map_err(|error| format!("cannot connect: {error}"))?;
    let mut offer = connection.offer(url.authority(), url.target())?;
    for name in &options.subprotocols {
        offer = offer.subprotocol(name)?;
    }
    for (name, value) in &options.fields {
        let field = Field::new(name, value.as_bytes());
        offer = offer.with(field.map_err(|error| format!("field {}: {error}", name.escape_default()))?);
    }
    match connection.upgrade(offer).await {
        Ok(Switched { socket, .. }) => {
            if let Some(name) = socket.subprotocol() {
                tell(format_args!("chat: the subprotocol is {name}"));
            }
            Ok(socket)
        }
        Err(NotUpgraded::Refused(received)) => Err(refused(*received).await.into()),
        Err(error) => Err(error.into()),
    }
}

/// What a server says that opens no WebSocket: where it is instead, or why.
async fn refused(mut received: ResponseReader) -> String {
    let refused = format!("the server refused to open a WebSocket, with {}", received.status());
    if let Some(location) = received.fields().get("location") {
        return format!("{refused}, and leads to {}", location.escape_ascii());
    }
    match received.read_all(1024).await {
        Ok(body) => format!("{refused}, and says \"{}\"", body.trim_ascii().escape_ascii()),
        Err(_) => refused,
    }
}

/// Prints what comes, until nothing more does, or standard output takes no more.
async fn read(receive: &mut ReceiveHalf, received: &Cell<u64>) -> io::Result<()> {
    let mut stdout = io::stdout();
    while let Some(message) = receive.receive().await {
        match message.content() {
            Content::Text(text) => {
                writeln!(stdout, "{text}")?;
                stdout.flush()?;
            }
            Content::Binary(data) => tell(format_args!("chat: a binary message of {} bytes", data.len())),
            Content::Ping(_) | Content::Pong(_) | Content::Close(_) => continue,
        }
        received.set(received.get() + 1);
        // However much comes, it is the other direction's turn now.
        yield_now().await;
    }
    Ok(())
}

/// Sends the lines of input, until there are no more.
async fn write(send: &mut SendHalf, input: &Input) {
    while let Ok(line) = input.recv().await {
        if send.send(Message::text(line)).await.is_err() {
            // Whoever reads hears how it ended.
            return pending().await;
        }
        yield_now().await;
    }
}

fn main() -> ExitCode {
    let (options, reach) = match options::read() {
        Ok(read) => read,
        Err(error) => {
            tell(format_args!("chat: {error}\n{USAGE}{}{STATUSES}", Reach::USAGE));
            return ExitCode::from(2);
        }
    };
    match reach.run(std::slice::from_ref(&options.url), Chat(&options)) {
        Ok(Ok(ended)) => {
            tell(format_args!("chat: {ended}"));
            let is_clean = matches!(ended.kind(), EndedKind::WebSocket(ws::Outcome::Closed { .. }));
            if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Ok(Err(error)) | Err(error) => {
            tell(format_args!("chat: {error}"));
            ExitCode::FAILURE
        }
    }
}
