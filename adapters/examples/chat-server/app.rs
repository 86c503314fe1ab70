//! What all connections share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use endwell::hub::{Hub, HubConfig, Member, SubscribeError};
use endwell::ws::WhenFull;
use serde_json::{Value, json};

use crate::history::{History, Missed};

pub(crate) struct App {
    pub(crate) hub: Hub,
    rooms: Mutex<HashMap<String, History>>,
    said: AtomicU64,
    delivered: AtomicU64,
    lost: AtomicU64,
}

impl Default for App {
    fn default() -> Self {
        let mut config = HubConfig::default();
        config.topic_events = true;
        Self {
            hub: Hub::new(config),
            rooms: Mutex::default(),
            said: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }
}

/// Rooms with a history. More are open to talk, but forget.
const ROOMS: usize = 1000;

impl App {
    /// Says something in a room. A reader that is behind loses its oldest messages, and asks for them when it notices.
    pub(crate) fn say(&self, room: &str, from: &str, text: &str) -> u64 {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let at = u64::try_from(at).unwrap_or(u64::MAX);
        let say = |number| {
            json!({ "type": "said", "room": room, "from": from, "text": text, "number": number, "at": at })
                .to_string()
        };
        // The lock is held while it is sent, so that all members of a room see one order of numbers.
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let message = if rooms.contains_key(room) || rooms.len() < ROOMS {
            rooms.entry(room.to_owned()).or_default().push(say)
        } else {
            say(0)
        };
        let receipt = self.hub.topic(room).send(message, WhenFull::DropOldest).now();
        drop(rooms);
        self.said.fetch_add(1, Relaxed);
        self.delivered.fetch_add(receipt.delivered(), Relaxed);
        self.lost.fetch_add(receipt.lost + receipt.dropped, Relaxed);
        receipt.delivered()
    }

    /// Lets a member enter a room, and tells it what was said there after message `seen`: nothing is missed between the two,
    /// nothing comes twice, and all comes in order.
    pub(crate) fn enter(&self, member: &Member, room: &str, seen: u64) -> Result<(), SubscribeError> {
        let rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        member.subscribe(room)?;
        let Missed { after, gap, texts } =
            rooms.get(room).map(|history| history.after(seen)).unwrap_or_default();
        let head =
            json!({ "type": "entered", "room": room, "after": after, "gap": gap, "missed": texts.len() });
        let this = self.hub.connection(member.key());
        for text in std::iter::once(&*head.to_string()).chain(texts) {
            let _ = this.send(text, WhenFull::DropOldest).now();
        }
        Ok(())
    }

    /// The users who are here, in order.
    pub(crate) fn users(&self) -> Vec<String> {
        let mut users: Vec<String> = self.hub.users().iter().map(ToString::to_string).collect();
        users.sort_unstable();
        users
    }

    pub(crate) fn stats(&self) -> Value {
        let counts = self.hub.counts();
        json!({
            "connections": counts.connections,
            "users": counts.users,
            "rooms": counts.topics,
            "said": self.said.load(Relaxed),
            "delivered": self.delivered.load(Relaxed),
            "lost": self.lost.load(Relaxed),
        })
    }
}
