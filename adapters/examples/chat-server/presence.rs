//! Tells everyone who is here, and how much is going on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use endwell::hub::HubEvent;
use endwell::ws::WhenFull;
use serde_json::json;
use tokio::time::{interval, sleep};

use crate::app::App;

/// Changes within this time are told together: a thousand logins are a few messages, and not a million.
const TOGETHER: Duration = Duration::from_millis(100);

/// Tells those on this node of the users and of the members of rooms, on all nodes, whenever they change.
pub(crate) async fn tell(app: Arc<App>) {
    let mut events = app.hub.events();
    loop {
        let (mut users, mut rooms) = (false, BTreeSet::new());
        let mut note = |event| match event {
            HubEvent::LoggedIn { .. } | HubEvent::LoggedOut { .. } | HubEvent::Lagged(_) => users = true,
            HubEvent::Subscribed { topic, .. } | HubEvent::Unsubscribed { topic, .. } => {
                rooms.insert(topic);
            }
            HubEvent::Joined { .. } | HubEvent::MetaSet { .. } | HubEvent::Left { .. } | _ => {}
        };
        note(events.next_event().await);
        let wait = sleep(TOGETHER);
        tokio::pin!(wait);
        loop {
            tokio::select! {
                event = events.next_event() => note(event),
                () = &mut wait => break,
            }
        }
        if users {
            let message = json!({ "type": "users", "users": app.users() }).to_string();
            let _ = app.hub.everyone().here().send(message, WhenFull::DropOldest).now();
        }
        for room in rooms {
            let present = app.hub.topic_presence(&room);
            let users: BTreeSet<&str> =
                present.iter().filter_map(|present| present.user.as_deref()).collect();
            let message = json!({ "type": "room", "room": &*room, "users": users }).to_string();
            let _ = app.hub.topic(&room).here().send(message, WhenFull::DropOldest).now();
        }
    }
}

/// Tells everyone on this node the counts, and what to resume from, once a second.
pub(crate) async fn count(app: Arc<App>) {
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        let message = json!({ "type": "stats", "stats": app.stats(), "token": app.token() }).to_string();
        let _ = app.hub.everyone().here().send(message, WhenFull::DropNewest).now();
    }
}
