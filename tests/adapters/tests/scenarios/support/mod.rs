//! What the scenarios share: servers on each runtime, and clients that know no runtime.

mod client;
mod gate;
mod response;
mod runtime;
pub(crate) mod server;

pub(crate) use client::{Client, LONG};
pub(crate) use gate::{Gate, told};
pub(crate) use response::{Cut, Response};
pub(crate) use runtime::{AsyncStd, Blocking, CurrentThread, Runtime, Smol, Tokio};
pub(crate) use server::{Running, start, start_narrow, start_with};

/// Makes a test of each scenario for each runtime.
macro_rules! on_every_runtime {
    ($($(#[$attribute:meta])* $scenario:ident),* $(,)?) => {
        mod on_tokio {
            $(#[test] $(#[$attribute])* fn $scenario() { super::$scenario::<crate::support::Tokio>(); })*
        }
        mod on_tokio_current_thread {
            $(#[test] $(#[$attribute])* fn $scenario() { super::$scenario::<crate::support::CurrentThread>(); })*
        }
        mod on_async_std {
            $(#[test] $(#[$attribute])* fn $scenario() { super::$scenario::<crate::support::AsyncStd>(); })*
        }
        mod on_smol {
            $(#[test] $(#[$attribute])* fn $scenario() { super::$scenario::<crate::support::Smol>(); })*
        }
        mod on_blocking {
            $(#[test] $(#[$attribute])* fn $scenario() { super::$scenario::<crate::support::Blocking>(); })*
        }
    };
}
pub(crate) use on_every_runtime;

/// Bytes in which a lost, doubled or swapped piece shows: no period that a buffer size could hide.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|index| ((index % 251) ^ (index / 251 % 256)) as u8).collect()
}
