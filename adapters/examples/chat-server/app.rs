//! What all connections share.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use endwell::hub::{Hub, Member, Resume, ResumeToken, SubscribeError};
use endwell::ws::WhenFull;
use serde_json::{Value, json};

pub(crate) struct App {
    pub(crate) hub: Hub,
    node: String,
    /// Names this run of this node: the messages of each are numbered.
    run: String,
    /// The number of the last message that this run has sent to each room.
    rooms: Mutex<HashMap<String, u64>>,
    /// What the hub had when, for the last minute.
    tokens: Mutex<VecDeque<ResumeToken>>,
    said: AtomicU64,
    delivered: AtomicU64,
    lost: AtomicU64,
}

/// Rooms whose messages are numbered. More are open to talk, but pages do not notice what they lose there.
const ROOMS: usize = 1000;

/// Newcomers are told what was said within so many seconds. The hub keeps messages for 60 s.
const NEWCOMERS: usize = 50;

impl App {
    pub(crate) fn new(hub: Hub, node: &str) -> Self {
        Self {
            hub,
            node: node.into(),
            run: format!("{node}-{}", since_epoch().as_nanos()),
            rooms: Mutex::default(),
            tokens: Mutex::default(),
            said: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }

    /// Says something in a room. A reader that is behind loses its oldest messages, and asks for them when it notices.
    pub(crate) fn say(&self, room: &str, from: &str, text: &str) -> u64 {
        let at = u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX);
        // The lock is held while it is sent, so that the numbers are in the order of the messages.
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let number = if rooms.contains_key(room) || rooms.len() < ROOMS {
            let last = rooms.entry(room.to_owned()).or_default();
            *last += 1;
            *last
        } else {
            0
        };
        let message = json!({
            "type": "said", "room": room, "from": from, "text": text, "run": self.run, "number": number, "at": at,
        });
        let receipt = self.hub.topic(room).send(message.to_string(), WhenFull::DropOldest).now();
        drop(rooms);
        self.said.fetch_add(1, Relaxed);
        self.delivered.fetch_add(receipt.delivered(), Relaxed);
        self.lost.fetch_add(receipt.lost + receipt.dropped, Relaxed);
        receipt.delivered()
    }

    /// Lets a member enter rooms, and puts into its queue what was said there behind its token, or within the last minute
    /// if it has none.
    pub(crate) fn enter(
        &self,
        member: &Member,
        rooms: &[&str],
        token: Option<&str>,
    ) -> Result<Resume, SubscribeError> {
        let is_newcomer = token.is_none();
        let token = match token {
            Some(token) => token.parse().unwrap_or_default(),
            None => self.a_minute_ago(),
        };
        // It may ask again for what it has lost.
        for room in rooms {
            member.unsubscribe(room);
        }
        let resumed = member.resume(&token, rooms)?;
        Ok(if is_newcomer { Resume::Resumed(0) } else { resumed })
    }

    fn a_minute_ago(&self) -> ResumeToken {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.front().cloned().unwrap_or_else(|| self.hub.token())
    }

    /// What a client resumes from if it gets this, and remembers it. Made once a second.
    pub(crate) fn token(&self) -> String {
        let token = self.hub.token();
        let text = token.to_string();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() == NEWCOMERS {
            tokens.pop_front();
        }
        tokens.push_back(token);
        text
    }

    /// The users who are here, in order.
    pub(crate) fn users(&self) -> Vec<String> {
        let mut users: Vec<String> = self.hub.users().iter().map(ToString::to_string).collect();
        users.sort_unstable();
        users
    }

    pub(crate) fn stats(&self) -> Value {
        let counts = self.hub.counts();
        let nodes: Vec<String> = self.hub.nodes().iter().map(|node| node.name.to_string()).collect();
        json!({
            "node": self.node,
            "nodes": nodes,
            // A hub that has just begun does not know yet who is on the other nodes.
            "stale": self.hub.stale_for().map(|stale| stale.as_secs()),
            "connections": counts.connections,
            "users": counts.users,
            "rooms": counts.topics,
            "said": self.said.load(Relaxed),
            "delivered": self.delivered.load(Relaxed),
            "lost": self.lost.load(Relaxed),
        })
    }
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
