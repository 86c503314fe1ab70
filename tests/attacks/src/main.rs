//! What clients that leave, flood or hold on cost the other clients of a server, measured on every runtime.
//!
//! The server is always a process of its own, and so are the attackers and the honest client where latency is measured:
//! each is this program, started again with another first argument. `README.md` says what is measured and how to run it.

#[path = "../../adapters/tests/tls/authority.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod authority;
#[path = "../../adapters/tests/scenarios/support/runtime.rs"]
#[allow(dead_code, reason = "the scenarios need more of it")]
mod runtime;

mod attack;
mod client;
mod holders;
mod honest;
mod leaving;
mod lock_out;
mod memory;
mod options;
mod process;
mod server;
mod table;
mod thousands;
mod turns;

use std::process::ExitCode;

use options::{Command, Options};

/// A measurement that cannot go on says why and ends the program.
type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    match options::read().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("attacks: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run((command, options): (Command, Options)) -> Result<()> {
    match command {
        Command::Leave => leaving::run(&options),
        Command::Thousands => thousands::run(&options),
        Command::Turns => turns::run(&options),
        Command::Memory => memory::run(&options),
        Command::LockOut => lock_out::run(&options),
        Command::All => {
            leaving::run(&options)?;
            thousands::run(&options)?;
            turns::run(&options)?;
            memory::run(&options)?;
            lock_out::run(&options)
        }
        Command::Server(setup) => server::run(&setup),
        Command::Attack { kind, address } => attack::run(kind, address, options.clients),
        Command::Honest { server, floor, hyper } => honest::run(server, floor, hyper, options.seconds),
    }
}
