//! One client. Messages are JSON, each with a `type`.
//!
//! | from the client | |
//! |---|---|
//! | `enter` | enters `rooms`, and asks for what was said behind `token`, or lately if it has none |
//! | `leave` | leaves `room` |
//! | `say` | says `text` in `room` |
//! | `typing` | tells `room` |
//!
//! | to the client | |
//! |---|---|
//! | `said` | `text` of `from` in `room`, with its time `at`, and its `number` among those of a `run` of a node in this room |
//! | `entered` | `missed` messages came before this, or if `gap` is true not all that there were |
//! | `typing` | `from` is typing in `room` |
//! | `users` | the users who are here |
//! | `room` | the users who are in `room` |
//! | `stats` | counts, once a second, and a `token`: how far this client is |

use std::io;
use std::sync::Arc;

use endwell::hub::{Login, Member, Resume};
use endwell::ws::{Close, CloseCode, Socket, WhenFull};
use endwell::{Answered, Exchange};
use serde_json::{Value, json};

use crate::api::LONGEST;
use crate::app::App;

/// Accepts the WebSocket of a client that has a name, and serves it to its end.
pub(crate) async fn open(app: Arc<App>, exchange: Exchange) -> io::Result<Answered> {
    let name = exchange.query_pairs().find(|(key, _)| key == "name").map(|(_, name)| name.trim().to_owned());
    let acceptance = exchange.acceptance();
    let socket = match exchange.accept(acceptance) {
        Ok(socket) => socket,
        Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), reason.to_string())),
    };
    // Whatever happens from here on, the member leaves once.
    let member = app.hub.join(&socket);
    let login = name.filter(|name| !name.is_empty()).map(|name| {
        member.login(&name, Login::Beside { at_most: 8 })?;
        Ok::<_, endwell::hub::LoginError>(name)
    });
    let close = match login {
        Some(Ok(name)) => return serve(&app, &member, &name, socket).await,
        Some(Err(error)) => Close::new(CloseCode::POLICY_VIOLATION, &error.to_string()),
        None => Close::new(CloseCode::POLICY_VIOLATION, "expected a name"),
    };
    Err(socket.close(close.unwrap_or(CloseCode::POLICY_VIOLATION.into())).await.into())
}

async fn serve(app: &App, member: &Member, name: &str, mut socket: Socket) -> io::Result<Answered> {
    while let Some(message) = socket.receive_data().await {
        let Ok(text) = message.into_text() else { continue };
        let asked: Value = serde_json::from_str(&text).unwrap_or_default();
        let field = |name| asked.get(name).and_then(Value::as_str);
        if field("type") == Some("enter") {
            let rooms = asked.get("rooms").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let rooms: Vec<&str> = rooms.iter().filter_map(Value::as_str).collect();
            let answer = match app.enter(member, &rooms, field("token")) {
                Ok(Resume::Resumed(missed)) => {
                    json!({ "type": "entered", "rooms": rooms, "missed": missed, "gap": false })
                }
                Ok(Resume::Gap) => json!({ "type": "entered", "rooms": rooms, "missed": 0, "gap": true }),
                Err(error) => json!({ "type": "refused", "rooms": rooms, "reason": error.to_string() }),
            };
            // Behind what was missed.
            socket.outlet().send(answer.to_string()).await?;
            continue;
        }
        let Some(room) = field("room") else { continue };
        match field("type") {
            Some("leave") => {
                member.unsubscribe(room);
            }
            Some("say") => {
                if let Some(text) = field("text").filter(|text| text.len() <= LONGEST) {
                    app.say(room, name, text);
                }
            }
            Some("typing") => {
                let typing = json!({ "type": "typing", "room": room, "from": name }).to_string();
                let others = app.hub.topic(room).except(member.key());
                // It is worth nothing a moment later.
                let _ = others.send(typing, WhenFull::DropNewest).now();
            }
            _ => {}
        }
    }
    Err(socket.close(Close::EMPTY).await.into())
}
