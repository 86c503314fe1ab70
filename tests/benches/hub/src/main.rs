//! What the hub costs, and how many ghosts it leaves: beside bare outlets, tokio's broadcast channel, and a registry that
//! is two queues before one loop.
//!
//!     cargo run --release -- members          memory of a member, joins and leaves a second
//!     cargo run --release -- fanout           CPU of a delivered message, and memory
//!     cargo run --release -- churn            S20: ghosts, with 20,000 clients a line (or `churn 2000`)

mod churn;
mod counting;
mod fanout;
mod members;
mod wire;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next();
    let number = arguments.next().map(|number| number.parse().expect("a number"));
    match what.as_deref() {
        Some("members") => members::run(number.unwrap_or(100_000)),
        Some("fanout") => fanout::run(),
        Some("churn") => churn::run(number.unwrap_or(20_000)),
        _ => eprintln!("members, fanout or churn"),
    }
}

/// The CPU time of this thread in nanoseconds, from `/proc`.
fn cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    text.split(' ').next().and_then(|field| field.parse().ok()).expect("nanoseconds")
}
