//! The members of a node, and their numbered changes.

mod own;
mod roster;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::ConnectionKey;
use super::id::WireKey;
use crate::Bytes;

pub(super) use own::Own;
pub(super) use roster::Roster;

/// What changed about a connection of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::hub) enum Change {
    /// It joined.
    Joined,
    /// It is a user's from now on.
    LoggedIn(UserLogin),
    /// It is no user's any more.
    LoggedOut,
    /// Its metadata was set.
    MetaSet(#[serde(with = "text")] Bytes),
    /// It subscribed to a topic.
    Subscribed(Arc<str>),
    /// It is no longer subscribed to a topic.
    Unsubscribed(Arc<str>),
    /// It left.
    Left,
}

/// That a connection is a user's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::hub) struct UserLogin {
    /// The user.
    pub(in crate::hub) user: Arc<str>,
    /// The Lamport time of the login, which orders those of all nodes.
    pub(in crate::hub) at: u64,
    /// Whether it replaces the earlier ones of the user.
    pub(in crate::hub) replaces: bool,
}

/// What is known of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::hub) struct Known {
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::hub) login: Option<UserLogin>,
    /// Its metadata.
    #[serde(default, with = "text", skip_serializing_if = "Bytes::is_empty")]
    pub(in crate::hub) meta: Bytes,
    /// Its topics.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(in crate::hub) topics: BTreeSet<Arc<str>>,
}

/// A change on the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Changed {
    pub(super) key: WireKey,
    pub(super) is: Change,
}

/// A member on the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Whole {
    pub(super) key: WireKey,
    #[serde(flatten)]
    pub(super) known: Known,
}

/// The connections of a node.
pub(super) type Members = BTreeMap<ConnectionKey, Known>;

/// Applies a change, which changes nothing about a connection that is unknown.
fn apply(members: &mut Members, key: ConnectionKey, change: &Change) {
    match change {
        Change::Joined => _ = members.entry(key).or_default(),
        Change::Left => _ = members.remove(&key),
        Change::LoggedIn(_)
        | Change::LoggedOut
        | Change::MetaSet(_)
        | Change::Subscribed(_)
        | Change::Unsubscribed(_) => {
            let Some(known) = members.get_mut(&key) else { return };
            match change {
                Change::LoggedIn(login) => known.login = Some(login.clone()),
                Change::LoggedOut => known.login = None,
                Change::MetaSet(meta) => known.meta = meta.clone(),
                Change::Subscribed(topic) => _ = known.topics.insert(Arc::clone(topic)),
                Change::Unsubscribed(topic) => _ = known.topics.remove(topic),
                Change::Joined | Change::Left => {}
            }
        }
    }
}

/// The changes that lead from what was to what is.
fn difference(was: &Members, is: &Members) -> Vec<(ConnectionKey, Change)> {
    let mut changes = Vec::new();
    for (key, now) in is {
        let unknown = Known::default();
        let before = was.get(key).unwrap_or_else(|| {
            changes.push((*key, Change::Joined));
            &unknown
        });
        if before.login != now.login {
            changes.push((*key, now.login.clone().map_or(Change::LoggedOut, Change::LoggedIn)));
        }
        if before.meta != now.meta {
            changes.push((*key, Change::MetaSet(now.meta.clone())));
        }
        let gone = before.topics.difference(&now.topics).cloned().map(Change::Unsubscribed);
        let new = now.topics.difference(&before.topics).cloned().map(Change::Subscribed);
        changes.extend(gone.chain(new).map(|change| (*key, change)));
    }
    // Behind the others, so that a user who moved is here throughout.
    let left = was.keys().filter(|key| !is.contains_key(key));
    changes.extend(left.map(|key| (*key, Change::Left)));
    changes
}

/// Bytes as text: base64.
mod text {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Bytes;

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map(Bytes::from).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, btree_set};
    use proptest::option;
    use proptest::prelude::{ProptestConfig, Strategy, any, proptest};

    use super::*;

    fn known() -> impl Strategy<Value = Known> {
        let login = ("[ab]", 0_u64..3, any::<bool>()).prop_map(|(user, at, replaces)| UserLogin {
            user: user.into(),
            at,
            replaces,
        });
        let topics = btree_set("[xyz]".prop_map(Into::into), 0..3);
        (option::of(login), "[ab]{0,1}", topics).prop_map(|(login, meta, topics)| Known {
            login,
            meta: meta.into(),
            topics,
        })
    }

    fn members() -> impl Strategy<Value = Members> {
        btree_map(
            (0_u64..5).prop_map(|number| ConnectionKey::here(number, crate::hub::registry::Slot::new(0))),
            known(),
            0..5,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

        #[test]
        fn the_difference_leads_from_one_to_the_other(was in members(), is in members()) {
            let mut members = was.clone();
            let changes = difference(&was, &is);
            for (key, change) in &changes {
                apply(&mut members, *key, change);
            }
            assert_eq!(members, is);
            assert!(difference(&is, &is).is_empty());
        }
    }

    #[test]
    fn changes_and_members_are_json_that_a_person_can_read() {
        let key = WireKey(ConnectionKey::here(12, crate::hub::registry::Slot::new(3)));
        let login = UserLogin { user: "alice".into(), at: 5, replaces: true };
        let one = Changed { key, is: Change::LoggedIn(login.clone()) };
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(text, r#"{"key":"12-3","is":{"logged_in":{"user":"alice","at":5,"replaces":true}}}"#);
        assert_eq!(serde_json::from_str::<Changed>(&text).unwrap(), one);
        let known = Known { login: Some(login), meta: "hi".into(), topics: ["lobby".into()].into() };
        let whole = Whole { key, known };
        let text = serde_json::to_string(&whole).unwrap();
        let expected = r#"{"key":"12-3","login":{"user":"alice","at":5,"replaces":true},"meta":"aGk=","topics":["lobby"]}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Whole>(&text).unwrap(), whole);
        let changes = [
            (Change::Joined, r#""joined""#),
            (Change::MetaSet("hi".into()), r#"{"meta_set":"aGk="}"#),
            (Change::Subscribed("lobby".into()), r#"{"subscribed":"lobby"}"#),
        ];
        for (change, expected) in changes {
            let text = serde_json::to_string(&change).unwrap();
            assert_eq!(text, expected);
            assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), change);
        }
    }
}
