//! One hub of three programs over a real nats-server that is killed and frozen, as they are: what comes, what is counted as
//! lost, and how long until each program is right about who is here. It prints a table.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod cases;
mod harness;
mod node;
#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write as _;

use cases::{CASES, Row};

/// Where a program finds NATS, and its name: with these it is one of the three.
const URL: &str = "ENDWELL_NATS_CLUSTER_URL";
const NAME: &str = "ENDWELL_NATS_CLUSTER_NAME";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let (Ok(url), Ok(name)) = (std::env::var(URL), std::env::var(NAME)) {
        return runtime.block_on(node::run(&url, &name));
    }
    // One after the other with `one`: for times that nothing else disturbs.
    let is_one = std::env::args().any(|arg| arg == "one");
    let rows = runtime.block_on(async {
        let mut running = Vec::new();
        let mut rows = Vec::new();
        for case in CASES {
            let run = tokio::spawn(case());
            if is_one { rows.push(run.await) } else { running.push(run) }
        }
        for run in running {
            rows.push(run.await);
        }
        rows
    });
    let rows: Option<Vec<Row>> = rows.into_iter().map(Result::unwrap).collect();
    match rows {
        Some(rows) => print!("{}", table(&rows)),
        None => println!("SKIPPED: there is no nats-server"),
    }
}

fn table(rows: &[Row]) -> String {
    let mut table = String::from(
        "\n| what happens | sent | to be delivered | delivered | lost | counted | doubled | presence is right again | MiB |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for Row { case, presence, tally } in rows {
        let (lost, mib) = (tally.expected - tally.delivered, tally.memory.div_ceil(1024));
        writeln!(
            table,
            "| {case} | {} | {} | {} | {lost} | {} | {} | {presence} | {mib} |",
            tally.sent, tally.expected, tally.delivered, tally.counted, tally.doubled,
        )
        .unwrap();
    }
    table
}
