//! The routes.

use std::io;
use std::sync::Arc;

use endwell::http::{Field, Method, Response, StatusCode};
use endwell::{Answered, Exchange};
use serde_json::{Value, json};

use crate::app::App;
use crate::session;

const PAGE: &str = include_str!("page.html");
const HTML: Field<'_> = Field::from_static("content-type", "text/html; charset=utf-8");
const JSON: Field<'_> = Field::from_static("content-type", "application/json");

/// A message is at most this long.
pub(crate) const LONGEST: usize = 4000;

pub(crate) async fn route(app: Arc<App>, mut exchange: Exchange) -> io::Result<Answered> {
    let method = exchange.method();
    Ok(match (method, exchange.path()) {
        (Method::Get, "/") => exchange.respond(Response::new(StatusCode::OK).with(HTML), PAGE),
        (Method::Get, "/users") => answer(exchange, &json!(app.users())),
        (Method::Get, "/stats") => answer(exchange, &app.stats()),
        (Method::Get, "/ws") => return session::open(app, exchange).await,
        (Method::Post, "/send") => {
            let body = exchange.read_all(2 * LONGEST).await?;
            let said: Value = serde_json::from_slice(&body).unwrap_or_default();
            match ["room", "from", "text"].map(|name| said.get(name).and_then(Value::as_str)) {
                [Some(room), Some(from), Some(text)] if text.len() <= LONGEST => {
                    let delivered = app.say(room, from, text);
                    answer(exchange, &json!({ "delivered": delivered }))
                }
                _ => exchange.respond(StatusCode::BAD_REQUEST, "expected room, from and text\n"),
            }
        }
        (_, "/" | "/users" | "/stats" | "/ws" | "/send") => {
            exchange.respond(StatusCode::METHOD_NOT_ALLOWED, "")
        }
        _ => exchange.respond(StatusCode::NOT_FOUND, ""),
    })
}

fn answer(exchange: Exchange, value: &Value) -> Answered {
    exchange.respond(Response::new(StatusCode::OK).with(JSON), value.to_string())
}
