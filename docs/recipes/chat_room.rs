//! A chat room: each message goes to everyone in the room, encoded once. A reader that is too slow loses its oldest messages, and
//! delays no other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use endwell::ws::{Close, Outlet, WhenFull, broadcast};
use endwell::{Answered, Ended, Exchange, ServerConfig, serve, with_state};
use tokio::net::TcpListener;

#[derive(Default)]
struct Room {
    members: Mutex<(u64, HashMap<u64, Outlet>)>,
}

/// A place in the room. Dropping it leaves, however the connection ended.
struct Member<'a> {
    room: &'a Room,
    number: u64,
}

impl Room {
    fn join(&self, outlet: Outlet) -> Member<'_> {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.0 += 1;
        let number = members.0;
        members.1.insert(number, outlet);
        Member { room: self, number }
    }

    async fn tell(&self, text: String) {
        let outlets: Vec<Outlet> =
            self.members.lock().unwrap_or_else(PoisonError::into_inner).1.values().cloned().collect();
        broadcast(text, outlets.iter().map(|outlet| (outlet, WhenFull::DropOldest))).await;
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        let mut members = self.room.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.1.remove(&self.number);
    }
}

async fn chat(room: Arc<Room>, exchange: Exchange) -> Result<Answered, Ended> {
    let acceptance = exchange.acceptance();
    let (send, mut receive) = match exchange.accept(acceptance) {
        Ok(socket) => socket.split(),
        Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), reason.to_string())),
    };
    let member = room.join(send.outlet());
    room.tell(format!("{} has joined", member.number)).await;
    while let Some(message) = receive.receive_data().await {
        if let Ok(text) = message.into_text() {
            room.tell(format!("{}: {text}", member.number)).await;
        }
    }
    let number = member.number;
    drop(member);
    room.tell(format!("{number} has left")).await;
    Err(send.close(Close::EMPTY).await)
}

pub async fn run(listener: TcpListener) {
    serve(listener, ServerConfig::default(), with_state(Arc::new(Room::default()), chat)).await;
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    run(TcpListener::bind("127.0.0.1:8080").await?).await;
    Ok(())
}
