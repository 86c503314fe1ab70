//! Events of the crate `tracing`.

use tracing::Level;

use crate::hub::HubEvent;
use crate::tracing::TARGET;

/// True if a subscriber wants any of them.
#[inline]
pub(super) fn is_wanted() -> bool {
    tracing::enabled!(target: TARGET, Level::WARN)
}

pub(super) fn tell(event: &HubEvent) {
    match event {
        HubEvent::Joined { key } => tracing::debug!(target: TARGET, member = %key, "member joined"),
        HubEvent::LoggedIn { key, user, connections } => {
            tracing::debug!(target: TARGET, member = %key, %user, connections, "member logged in");
        }
        HubEvent::LoggedOut { key, user, connections } => {
            tracing::debug!(target: TARGET, member = %key, %user, connections, "member logged out");
        }
        HubEvent::Subscribed { key, topic } => {
            tracing::debug!(target: TARGET, member = %key, %topic, "member subscribed");
        }
        HubEvent::Unsubscribed { key, topic } => {
            tracing::debug!(target: TARGET, member = %key, %topic, "member unsubscribed");
        }
        HubEvent::MetaSet { key, meta } => {
            tracing::debug!(target: TARGET, member = %key, bytes = meta.len(), "metadata set");
        }
        HubEvent::Left { key, departure } => {
            tracing::debug!(target: TARGET, member = %key, ?departure, "member left");
        }
        HubEvent::NodeUp { node } => tracing::info!(target: TARGET, %node, "node up"),
        HubEvent::NodeDown { node, said_so: true } => tracing::info!(target: TARGET, %node, "node ended"),
        HubEvent::NodeDown { node, said_so: false } => tracing::warn!(target: TARGET, %node, "node lost"),
        HubEvent::Stale => tracing::warn!(target: TARGET, "cut off from the other nodes"),
        HubEvent::Fresh => tracing::info!(target: TARGET, "the other nodes are heard again"),
        HubEvent::Lost { node, count } => {
            tracing::warn!(target: TARGET, %node, count, "messages of a node are lost");
        }
        HubEvent::Missed { node, count } => {
            tracing::warn!(target: TARGET, %node, count, "a node misses messages");
        }
        // Of a reader, not of the hub.
        HubEvent::Lagged(_) => {}
    }
}
