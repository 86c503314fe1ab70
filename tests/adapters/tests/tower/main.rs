//! An application of axum with layers of tower-http, served unchanged on every runtime: its answers are those that axum's own
//! server gives.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on has failed"
)]

#[path = "../help/aborted.rs"]
mod aborted;
#[path = "../http_client_net/dialling.rs"]
#[expect(dead_code, reason = "shared with the scenarios of one connection")]
mod dialling;
#[path = "../scenarios/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the scenarios")]
mod support;

mod app;
mod chromium;
mod client;
mod foreign;
mod same;
mod service;
mod web_socket;
