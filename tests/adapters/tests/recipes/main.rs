//! Every recipe of `docs/recipes`, run.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on has failed, and each recipe is a program with a main function"
)]

#[path = "../tls/authority.rs"]
mod authority;

#[path = "../../../../docs/recipes/axum_on_endwell.rs"]
mod axum_on_endwell;
#[path = "../../../../docs/recipes/behind_a_proxy.rs"]
mod behind_a_proxy;
#[path = "../../../../docs/recipes/chat_room.rs"]
mod chat_room;
#[path = "../../../../docs/recipes/connection_state.rs"]
mod connection_state;
#[path = "../../../../docs/recipes/echo.rs"]
mod echo;
#[path = "../../../../docs/recipes/endwell_in_axum.rs"]
mod endwell_in_axum;
#[path = "../../../../docs/recipes/events.rs"]
mod events;
#[path = "../../../../docs/recipes/json.rs"]
mod json;
#[path = "../../../../docs/recipes/mutual_tls.rs"]
mod mutual_tls;
#[path = "../../../../docs/recipes/reconnecting_feed.rs"]
mod reconnecting_feed;
#[path = "../../../../docs/recipes/reverse_proxy.rs"]
mod reverse_proxy;
#[path = "../../../../docs/recipes/shutdown.rs"]
mod shutdown;
#[path = "../../../../docs/recipes/state.rs"]
mod state;
#[path = "../../../../docs/recipes/thread_per_core.rs"]
mod thread_per_core;
#[path = "../../../../docs/recipes/upload.rs"]
mod upload;

mod http;
mod listed;
mod operation;
mod proxy;
mod web_socket;

use std::net::SocketAddr;

use endwell::Bytes;
use endwell::client::{Connection, Url};
use endwell::http::{Method, Request, StatusCode};
use endwell::{ClientConfig, tokio::Tcp};
use tokio::net::TcpListener;

/// Runs a recipe in a task, until the test is over.
async fn start<F: Future<Output: Send> + Send + 'static>(
    recipe: impl FnOnce(TcpListener) -> F,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(recipe(listener));
    address
}

async fn ask(address: SocketAddr, method: Method<'_>, target: &str, body: &str) -> (StatusCode, Bytes) {
    let url = Url::parse(&format!("http://{address}{target}")).unwrap();
    let connection = Connection::connect(&Tcp, &url.origin(), &ClientConfig::default()).await.unwrap();
    let head = Request::new(method, url.authority(), url.target()).unwrap();
    let mut response = connection.send(&head, body.to_owned()).await.unwrap();
    (response.status(), response.read_all(1 << 20).await.unwrap())
}

async fn get(address: SocketAddr, target: &str) -> (StatusCode, Bytes) {
    ask(address, Method::Get, target, "").await
}
