//! Serves `GET /metrics` for Prometheus beside the application, from one server. Ctrl-C ends it.
//!
//! `metrics [ADDRESS]`. The first line is the address that it listens on. `endwell::metrics` explains what is counted.

use std::error::Error;
use std::io::{self, Write};

use endwell::http::{Field, Response, StatusCode};
use endwell::{Answered, Exchange, ServerConfig, serve, with_state};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// The bounds, in seconds, that OpenTelemetry advises for the duration of requests.
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

const TEXT: Field<'_> = Field::from_static("content-type", "text/plain; version=0.0.4");

async fn handle(prometheus: PrometheusHandle, exchange: Exchange) -> Result<Answered, io::Error> {
    match exchange.path() {
        "/" => Ok(exchange.respond(StatusCode::OK, "hello\n")),
        "/fails" => Err(io::Error::other("the database is gone")),
        "/metrics" => {
            prometheus.run_upkeep();
            Ok(exchange.respond(Response::new(StatusCode::OK).with(TEXT), prometheus.render()))
        }
        _ => Ok(exchange.respond(StatusCode::NOT_FOUND, "not here\n")),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    let prometheus = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("duration".into()), &SECONDS)?
        .install_recorder()?;
    endwell::metrics::describe();
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or(()) };
    serve(listener, ServerConfig::default().metrics(true), with_state(prometheus, handle)).until(stop).await;
    Ok(())
}
