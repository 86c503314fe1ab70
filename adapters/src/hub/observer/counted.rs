//! Counters and gauges of the crate `metrics`.

use metrics::{Label, counter, gauge};

use crate::hub::recipients::Audience;
use crate::hub::{Departure, HubConfig, HubCounts, HubEvent, Receipt};
use crate::metrics::{RECEIVE, TRANSMIT, hub};

/// True if the hub is counted.
pub(super) fn is_wanted(config: &HubConfig) -> bool {
    config.metrics
}

/// What is on this node has changed. A hub that ends has no members left, so the gauges are back at zero.
pub(super) fn changed(before: HubCounts, after: HubCounts) {
    let changes = [
        (hub::CONNECTIONS, before.connections, after.connections),
        (hub::USERS, before.users, after.users),
        (hub::TOPICS, before.topics, after.topics),
    ];
    for (name, before, after) in changes {
        if before < after {
            gauge!(name).increment(number(after - before));
        } else if after < before {
            gauge!(name).decrement(number(before - after));
        }
    }
}

pub(super) fn tell(event: &HubEvent) {
    match event {
        HubEvent::Left { key, departure } if key.is_here() => {
            let why = match departure {
                Departure::Dropped => "dropped",
                Departure::Ended => "ended",
                Departure::Replaced { .. } => "replaced",
                Departure::Elsewhere => return,
            };
            counter!(hub::DEPARTURES, vec![Label::from_static_parts("endwell.hub.departure", why)])
                .increment(1);
        }
        HubEvent::NodeUp { .. } => gauge!(hub::NODES).increment(1.0),
        HubEvent::NodeDown { .. } => gauge!(hub::NODES).decrement(1.0),
        HubEvent::Stale => gauge!(hub::STALE).set(1.0),
        HubEvent::Fresh => gauge!(hub::STALE).set(0.0),
        HubEvent::Lost { count, .. } => counter!(hub::LOST, vec![RECEIVE]).increment(*count),
        HubEvent::Missed { count, .. } => counter!(hub::LOST, vec![TRANSMIT]).increment(*count),
        HubEvent::Joined { .. }
        | HubEvent::LoggedIn { .. }
        | HubEvent::LoggedOut { .. }
        | HubEvent::Subscribed { .. }
        | HubEvent::Unsubscribed { .. }
        | HubEvent::MetaSet { .. }
        | HubEvent::Left { .. }
        | HubEvent::Lagged(_) => {}
    }
}

pub(super) fn sent(audience: Audience<'_>) {
    let name = match audience {
        Audience::Topic(_) => "topic",
        Audience::User(_) => "user",
        Audience::Everyone => "everyone",
        Audience::Connection(_) => "connection",
    };
    counter!(hub::MESSAGES, vec![Label::from_static_parts("endwell.hub.audience", name)]).increment(1);
}

pub(super) fn delivered(receipt: &Receipt) {
    let counts = [
        ("accepted", receipt.accepted),
        ("lagged", receipt.lagged),
        ("dropped", receipt.dropped),
        ("closed", receipt.closed),
        ("ended", receipt.ended),
    ];
    for (outcome, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        let label = Label::from_static_parts("endwell.hub.outcome", outcome);
        counter!(hub::DELIVERIES, vec![label]).increment(count);
    }
}

/// A number of members, as gauges take it: above 2^53 it would be rounded.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "no program has so many")]
fn number(count: usize) -> f64 {
    count as f64
}
