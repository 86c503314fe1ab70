//! What nodes say to each other: JSON with a version.
//!
//! By serde and serde_json, which check every field of what arrives, and which most programs with a hub have already.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::NodeId;
use super::presence::{Changed, Whole};
use crate::Bytes;

/// The version of all control messages. A node ignores other versions.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Envelope<C> {
    v: u32,
    node: NodeId,
    #[serde(flatten)]
    control: C,
}

/// A control message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Control {
    /// To oneself, on a new connection: once it comes back, the node hears.
    Barrier { epoch: u64 },
    /// On `c.lease`: that the node lives.
    Lease(Lease),
    /// To a node: send your messages of these numbers again.
    AskMessages { from: u64, to: u64 },
    /// To a node: my messages before this number are no longer kept.
    Forgotten { before: u64 },
    /// On `c.presence`: the changes of this number.
    Changes { n: u64, changes: Vec<Changed> },
    /// To a node: send your members.
    AskMembers {},
    /// To a node: a piece of the members as they are after the changes of this number.
    Members { n: u64, part: usize, parts: usize, members: Vec<Whole> },
}

/// That a node lives, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lease {
    /// What people call the node.
    pub(super) name: String,
    /// Its connections to the bus so far.
    pub(super) epoch: u64,
    /// Its leases so far: an older one says nothing.
    pub(super) beat: u64,
    /// The number of the last message that it sent.
    pub(super) seq: u64,
    /// The number of the last changes of its members.
    pub(super) presence: u64,
    /// Its Lamport clock.
    pub(super) lamport: u64,
    /// Of each other node, the number of the last message that it has, and how many it counted as lost.
    pub(super) have: BTreeMap<NodeId, (u64, u64)>,
    /// The last lease: the node has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) bye: bool,
}

impl Control {
    pub(super) fn write(&self, node: NodeId) -> Bytes {
        let envelope = Envelope { v: VERSION, node, control: self };
        // Maps with keys that are text, numbers and strings: writing them cannot fail.
        serde_json::to_vec(&envelope).unwrap_or_default().into()
    }

    /// Reads a control message and who sent it. `None` if it is of another version, or unreadable.
    pub(super) fn read(payload: &[u8]) -> Option<(NodeId, Self)> {
        let Envelope { v: VERSION, node, control } = serde_json::from_slice(payload).ok()? else {
            return None;
        };
        Some((node, control))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId::new(7);

    fn lease(bye: bool) -> Control {
        let have = BTreeMap::from([(NodeId::new(9), (5, 1))]);
        Control::Lease(Lease {
            name: "a".into(),
            epoch: 1,
            beat: 2,
            seq: 3,
            presence: 4,
            lamport: 5,
            have,
            bye,
        })
    }

    #[test]
    fn control_messages_are_json_that_a_person_can_read() {
        let text = |control: &Control| String::from_utf8(control.write(NODE).to_vec()).unwrap();
        assert_eq!(
            text(&lease(false)),
            r#"{"v":1,"node":"0000000000000007","lease":{"name":"a","epoch":1,"beat":2,"seq":3,"presence":4,"lamport":5,"have":{"0000000000000009":[5,1]}}}"#
        );
        assert_eq!(
            text(&Control::AskMessages { from: 1, to: 2 }),
            r#"{"v":1,"node":"0000000000000007","ask_messages":{"from":1,"to":2}}"#
        );
        assert_eq!(text(&Control::AskMembers {}), r#"{"v":1,"node":"0000000000000007","ask_members":{}}"#);
        let controls = [
            lease(true),
            lease(false),
            Control::AskMessages { from: 1, to: 2 },
            Control::AskMembers {},
            Control::Barrier { epoch: 1 },
            Control::Forgotten { before: 3 },
            Control::Changes { n: 1, changes: Vec::new() },
            Control::Members { n: 1, part: 0, parts: 1, members: Vec::new() },
        ];
        for control in controls {
            assert_eq!(Control::read(&control.write(NODE)), Some((NODE, control)));
        }
    }

    #[test]
    fn another_version_and_what_is_no_control_message_are_ignored() {
        let texts = [
            "",
            "{}",
            r#"{"v":2,"node":"0000000000000007","ask_members":{}}"#,
            r#"{"v":1,"node":"7","ask_members":{}}"#,
            r#"{"v":1,"node":"0000000000000007"}"#,
            r#"{"v":1,"node":"0000000000000007","hello":{}}"#,
            r#"{"v":1,"node":"0000000000000007","forgotten":{"before":-1}}"#,
        ];
        for text in texts {
            assert_eq!(Control::read(text.as_bytes()), None, "{text}");
        }
    }
}
