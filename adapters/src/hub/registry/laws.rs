//! Checks the registry against a naive one, a map and sets, through any history of joins, logins, subscriptions, messages
//! and ends: after every change both have the same members, and each message goes to the same ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest};
use proptest::sample::Index;
use proptest::test_runner::RngSeed;

use super::super::events::EventLog;
use super::super::{ConnectionKey, Departure, HubConfig, HubEvent, Login, LoginError, SubscribeError};
use super::{Registry, Walk};
use crate::Bytes;

/// A change. An index picks a connection among all that have ever joined.
#[derive(Clone, Debug)]
enum Op {
    Join,
    Leave(Index),
    Login(Index, usize, Login),
    Subscribe(Index, usize),
    Unsubscribe(Index, usize),
    SetMeta(Index, usize),
    /// Begins to go over the receivers of a message.
    Send(To, usize),
    /// Goes on with a message that was begun.
    Step(Index),
}

#[derive(Clone, Copy, Debug)]
enum To {
    Topic(usize),
    Everyone,
    User(usize),
}

const NAMES: [&str; 4] = ["a", "b", "c", "a name that is too long"];
const LIMIT: usize = 2;

/// A connection in the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    user: Option<&'static str>,
    topics: BTreeSet<&'static str>,
    meta: Option<usize>,
}

/// A message that is being sent.
struct Sending {
    walk: Walk,
    except: Vec<ConnectionKey>,
    topic: Option<&'static str>,
    /// Those that must get it, unless they leave before it comes by.
    due: BTreeSet<ConnectionKey>,
    got: BTreeSet<ConnectionKey>,
    is_over: bool,
}

struct World {
    registry: Registry<ConnectionKey>,
    model: BTreeMap<ConnectionKey, Known>,
    keys: Vec<ConnectionKey>,
    sending: Vec<Sending>,
    events: EventLogReader,
}

/// What the events say that is here.
#[derive(Default)]
struct EventLogReader {
    at: u64,
    here: BTreeMap<ConnectionKey, Known>,
    left: BTreeSet<ConnectionKey>,
}

impl EventLogReader {
    fn read(&mut self, log: &EventLog) {
        let name = |name: &Arc<str>| NAMES.into_iter().find(|known| *known == &**name).unwrap();
        while let Some(event) = log.read(&mut self.at) {
            match event {
                HubEvent::Joined { key } => {
                    assert!(self.here.insert(key, Known::default()).is_none());
                    assert!(!self.left.contains(&key), "left before it joined");
                }
                HubEvent::Left { key, .. } => {
                    assert_eq!(
                        self.here.remove(&key).map(|known| (known.user, known.topics.len())),
                        Some((None, 0))
                    );
                    assert!(self.left.insert(key), "left twice");
                }
                HubEvent::LoggedIn { key, user, connections } => {
                    self.here.get_mut(&key).unwrap().user = Some(name(&user));
                    // It still counts as its former user's, if it was another's.
                    assert_eq!(self.connections(&user), connections);
                }
                HubEvent::LoggedOut { key, user, connections } => {
                    let known = self.here.get_mut(&key).unwrap();
                    known.user = known.user.filter(|now| **now != *user);
                    assert_eq!(self.connections(&user), connections);
                }
                HubEvent::Subscribed { key, topic } => {
                    assert!(self.here.get_mut(&key).unwrap().topics.insert(name(&topic)));
                }
                HubEvent::Unsubscribed { key, topic } => {
                    assert!(self.here.get_mut(&key).unwrap().topics.remove(name(&topic)));
                }
                HubEvent::MetaSet { key, meta } => {
                    self.here.get_mut(&key).unwrap().meta = Some(meta.len());
                }
                event => panic!("{event:?}"),
            }
        }
    }

    fn connections(&self, user: &str) -> usize {
        self.here.values().filter(|known| known.user == Some(user)).count()
    }
}

impl World {
    fn new() -> Self {
        let mut config = HubConfig::default();
        (config.topics_each, config.topics, config.name_bytes, config.meta_bytes) = (LIMIT, LIMIT, 5, 5);
        config.topic_events = true;
        let mut registry = Registry::new(&config);
        let events = EventLogReader { at: registry.log.add_reader(), ..EventLogReader::default() };
        Self { registry, model: BTreeMap::new(), keys: Vec::new(), sending: Vec::new(), events }
    }

    fn pick(&self, index: Index) -> Option<ConnectionKey> {
        (!self.keys.is_empty()).then(|| *index.get(&self.keys))
    }

    fn forget(&mut self, key: ConnectionKey) -> bool {
        self.sending.iter_mut().for_each(|message| _ = message.due.remove(&key));
        self.model.remove(&key).is_some()
    }

    fn topics(&self) -> BTreeSet<&str> {
        self.model.values().flat_map(|known| known.topics.iter().copied()).collect()
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Join => {
                let key = self.registry.join(|key| key);
                assert!(self.keys.last().is_none_or(|last| last.number < key.number), "a key is reused");
                self.keys.push(key);
                self.model.insert(key, Known::default());
            }
            Op::Leave(index) => {
                let Some(key) = self.pick(*index) else { return };
                let left = self.registry.leave(key, Departure::Dropped);
                assert_eq!(left, self.forget(key).then_some(key));
            }
            Op::Login(index, user, login) => {
                if let Some(key) = self.pick(*index) {
                    self.login(key, NAMES[*user], *login);
                }
            }
            Op::Subscribe(index, topic) => {
                let Some(key) = self.pick(*index) else { return };
                let topic = NAMES[*topic];
                let topics = self.topics();
                let expected = match self.model.get(&key) {
                    None => Err(SubscribeError::Left),
                    Some(_) if topic.len() > 5 => Err(SubscribeError::NameTooLong { at_most: 5 }),
                    Some(known) if known.topics.contains(topic) => Ok(false),
                    Some(known) if known.topics.len() == LIMIT => {
                        Err(SubscribeError::TooMany { at_most: LIMIT })
                    }
                    Some(_) if !topics.contains(topic) && topics.len() == LIMIT => {
                        Err(SubscribeError::HubFull { at_most: LIMIT })
                    }
                    Some(_) => Ok(true),
                };
                assert_eq!(self.registry.subscribe(key, topic), expected);
                if expected == Ok(true) {
                    self.model.get_mut(&key).unwrap().topics.insert(topic);
                }
            }
            Op::Unsubscribe(index, topic) => {
                let Some(key) = self.pick(*index) else { return };
                let topic = NAMES[*topic];
                let expected = self.model.get_mut(&key).is_some_and(|known| known.topics.remove(topic));
                assert_eq!(self.registry.unsubscribe(key, topic), expected);
                let of_topic = self.sending.iter_mut().filter(|message| message.topic == Some(topic));
                of_topic.for_each(|message| _ = message.due.remove(&key));
            }
            Op::SetMeta(index, len) => {
                let Some(key) = self.pick(*index) else { return };
                let set = self.registry.set_meta(key, vec![7; *len].into());
                match self.model.get_mut(&key) {
                    Some(known) if *len <= 5 => {
                        assert!(set.is_ok());
                        known.meta = Some(*len);
                    }
                    Some(_) | None => assert!(set.is_err()),
                }
            }
            Op::Send(to, except) => self.send(*to, *except),
            Op::Step(index) => {
                if !self.sending.is_empty() {
                    let index = index.index(self.sending.len());
                    self.step(index);
                }
            }
        }
    }

    fn login(&mut self, key: ConnectionKey, user: &'static str, login: Login) {
        let here = |(other, known): (&ConnectionKey, &Known)| {
            (*other != key && known.user == Some(user)).then_some(*other)
        };
        let others: BTreeSet<_> = self.model.iter().filter_map(here).collect();
        let result = self.registry.login(key, user, login);
        let expected = match login {
            _ if !self.model.contains_key(&key) => Err(LoginError::Left),
            _ if user.len() > 5 => Err(LoginError::NameTooLong { at_most: 5 }),
            Login::Replace => Ok(others),
            Login::Beside { at_most } if others.len() >= at_most => Err(LoginError::TooMany { at_most }),
            Login::Beside { .. } => Ok(BTreeSet::new()),
        };
        assert_eq!(result.map(|replaced| replaced.into_iter().collect()), expected);
        if let Ok(replaced) = expected {
            for old in replaced {
                assert!(self.forget(old));
            }
            self.model.get_mut(&key).unwrap().user = Some(user);
        }
    }

    fn send(&mut self, to: To, except: usize) {
        let is_for = |known: &Known| match to {
            To::Topic(topic) => known.topics.contains(NAMES[topic]),
            To::Everyone => true,
            To::User(user) => known.user == Some(NAMES[user]),
        };
        let except: Vec<_> = self.keys.iter().rev().take(except).copied().collect();
        let here = self.model.iter().filter(|(key, known)| is_for(known) && !except.contains(key));
        let due: BTreeSet<_> = here.map(|(key, _)| *key).collect();
        let (walk, topic) = match to {
            To::Topic(topic) => {
                let Some((mut walk, _)) = self.registry.topic(NAMES[topic]) else {
                    assert!(due.is_empty());
                    return;
                };
                self.registry.begin(&mut walk);
                (walk, Some(NAMES[topic]))
            }
            To::Everyone => (self.registry.everyone(), None),
            To::User(user) => (self.registry.user(NAMES[user]), None),
        };
        self.sending.push(Sending { walk, except, topic, due, got: BTreeSet::new(), is_over: false });
        if let To::User(_) = to {
            let last = self.sending.len() - 1;
            self.step(last);
        }
    }

    /// Takes two receivers of a message.
    fn step(&mut self, index: usize) {
        let Self { registry, sending, .. } = self;
        let message = &mut sending[index];
        if message.is_over {
            return;
        }
        let mut found = Vec::new();
        message.is_over = !registry.step(&mut message.walk, 2, &message.except, &mut found);
        for key in found {
            assert!(message.got.insert(key), "it got a message twice");
            assert!(message.due.remove(&key), "it came later, has left, or was left out");
        }
        assert!(!message.is_over || message.due.is_empty(), "it missed a message: {:?}", message.due);
    }

    /// Checks that both have the same, and that the events say so.
    fn check(&mut self) {
        let counts = self.registry.counts();
        let users: BTreeSet<_> = self.model.values().filter_map(|known| known.user).collect();
        assert_eq!(
            (counts.connections, counts.users, counts.topics),
            (self.model.len(), users.len(), self.topics().len())
        );
        assert_eq!(self.registry.users().map(|user| &**user).collect::<BTreeSet<_>>(), users);
        for name in NAMES {
            let of = |is_it: &dyn Fn(&Known) -> bool| -> BTreeSet<_> {
                self.model.iter().filter(|(_, known)| is_it(known)).map(|(key, _)| *key).collect()
            };
            let present = self.registry.presence(name);
            assert_eq!(
                present.iter().map(|found| found.key).collect::<BTreeSet<_>>(),
                of(&|known| known.user == Some(name))
            );
            assert_eq!(self.registry.is_online(name), !present.is_empty());
            let subscribed = self.registry.topic_presence(name);
            assert_eq!(
                subscribed.iter().map(|found| found.key).collect::<BTreeSet<_>>(),
                of(&|known| known.topics.contains(name))
            );
            for found in present.iter().chain(&subscribed) {
                let known = &self.model[&found.key];
                assert_eq!(
                    (found.user.as_deref(), found.meta.as_ref().map(Bytes::len)),
                    (known.user, known.meta)
                );
            }
        }
        for key in &self.keys {
            assert_eq!(self.registry.member(*key), self.model.contains_key(key).then_some(key));
        }
        self.events.read(&self.registry.log);
        assert_eq!(self.events.here, self.model);
    }
}

fn ops() -> impl Strategy<Value = Op> {
    let connection = proptest::arbitrary::any::<Index>;
    let name = || 0..NAMES.len();
    let login = prop_oneof![Just(Login::Replace), (0..3_usize).prop_map(|at_most| Login::Beside { at_most })];
    let to = prop_oneof![
        2 => name().prop_map(To::Topic),
        1 => Just(To::Everyone),
        1 => name().prop_map(To::User),
    ];
    prop_oneof![
        4 => Just(Op::Join),
        2 => connection().prop_map(Op::Leave),
        3 => (connection(), name(), login).prop_map(|(index, user, login)| Op::Login(index, user, login)),
        4 => (connection(), name()).prop_map(|(index, topic)| Op::Subscribe(index, topic)),
        2 => (connection(), name()).prop_map(|(index, topic)| Op::Unsubscribe(index, topic)),
        1 => (connection(), 0..8_usize).prop_map(|(index, len)| Op::SetMeta(index, len)),
        3 => (to, 0..3_usize).prop_map(|(to, except)| Op::Send(to, except)),
        4 => connection().prop_map(Op::Step),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_is_a_map_and_sets(ops in vec(ops(), 0..80)) {
        let mut world = World::new();
        for op in &ops {
            world.apply(op);
            world.check();
        }
        // What was begun comes to its end.
        for index in 0..world.sending.len() {
            while !world.sending[index].is_over {
                world.step(index);
            }
        }
        // All leave, and nothing is left.
        for key in world.keys.clone() {
            world.registry.leave(key, Departure::Ended);
            world.forget(key);
        }
        world.check();
        let keys: BTreeSet<_> = world.keys.iter().copied().collect();
        assert_eq!(world.events.left, keys, "each left once");
    }
}
