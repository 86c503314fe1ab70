//! What Autobahn's fuzzingserver judges: a client that sends every message back.
//!
//! `autobahn-client RUNTIME ws://HOST:PORT` runs all cases of the server that listens there, as an agent that is called
//! like the runtime: tokio, async-std, smol or blocking. The server judges; the exit status says only whether there was
//! one to the end.

use std::error::Error;
use std::process::ExitCode;

use endwell::ws::{Close, Content, Deflate, Socket};
use endwell::{ClientConfig, Connector, blocking};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The server, and how to get at it.
struct Fuzzing<'a, C> {
    connector: C,
    url: &'a str,
    agent: &'a str,
    config: ClientConfig,
}

impl<C: Connector> Fuzzing<'_, C> {
    async fn open(&self, target: &str) -> Outcome<Socket> {
        let url = format!("{}/{target}", self.url);
        Socket::connect(&self.connector, &url, &self.config)
            .await
            .map_err(|error| format!("{url}: {error}").into())
    }

    async fn run(self) -> Outcome<()> {
        let mut socket = self.open("getCaseCount").await?;
        let message = socket.receive().await.ok_or("expected the number of cases, got none")?;
        let Content::Text(count) = message.content() else {
            return Err("expected the number of cases as text".into());
        };
        let count: usize = count.parse()?;
        socket.close(Close::EMPTY).await;
        for case in 1..=count {
            let target = format!("runCase?case={case}&agent={}", self.agent);
            echo(self.open(&target).await?).await;
        }
        let socket = self.open(&format!("updateReports?agent={}", self.agent)).await?;
        socket.close(Close::EMPTY).await;
        Ok(())
    }
}

/// Sends each message back: text as text, binary as binary. How the connection ends is for the server to judge.
async fn echo(mut socket: Socket) {
    while let Some(message) = socket.receive().await {
        if message.is_data() && socket.send(message).await.is_err() {
            break;
        }
    }
    socket.close(Close::EMPTY).await;
}

fn run(runtime: &str, url: &str) -> Outcome<()> {
    let mut config = ClientConfig::default();
    // Megabytes come in fragments of 64 bytes.
    config.ws.fragments = 100_000;
    // Offered always, and taken by the cases that are about it.
    config.deflate = Some(Deflate::default());
    macro_rules! fuzzing {
        ($connector:expr) => {
            Fuzzing { connector: $connector, url, agent: runtime, config }.run()
        };
    }
    match runtime {
        "tokio" => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(fuzzing!(endwell::tokio::Tcp)),
        "async-std" => async_std::task::block_on(fuzzing!(endwell::async_std::Tcp)),
        "smol" => smol::block_on(fuzzing!(endwell::smol::Tcp)),
        "blocking" => blocking::block_on(fuzzing!(blocking::Tcp)),
        _ => Err("expected tokio, async-std, smol or blocking".into()),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [runtime, url] = arguments.as_slice() else {
        eprintln!("usage: autobahn-client RUNTIME ws://HOST:PORT");
        return ExitCode::from(2);
    };
    match run(runtime, url) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("autobahn-client: {error}");
            ExitCode::FAILURE
        }
    }
}
