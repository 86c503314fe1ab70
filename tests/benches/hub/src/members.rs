//! The memory of a member, and joins and leaves a second.

use std::time::Instant;

use endwell::hub::{Hub, HubConfig, Login, Member};

use crate::counting::held;
use crate::wire::socket;

pub fn run(members: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _guard = runtime.enter();
    memory(members);
    times();
}

fn hub(members: usize) -> Hub {
    let mut config = HubConfig::default();
    config.topics = members;
    Hub::new(config)
}

fn memory(members: usize) {
    println!("\nbytes a member, of {members} (the Vec that holds the guards is not counted)");
    let joins: [(&str, fn(&Member, usize)); 4] = [
        ("joined", |_, _| {}),
        ("with a user of its own (\"user 12345\")", |member, number| {
            member.login(&format!("user {number:5}"), Login::Replace).unwrap();
        }),
        ("with a user, and one topic that all share", |member, number| {
            member.login(&format!("user {number:5}"), Login::Replace).unwrap();
            member.subscribe("lobby").unwrap();
        }),
        ("with a user, and one topic that 10 share", |member, number| {
            member.login(&format!("user {number:5}"), Login::Replace).unwrap();
            member.subscribe(&format!("room {}", number / 10)).unwrap();
        }),
    ];
    for (what, then) in joins {
        // A thousand members on each socket: what a socket holds by itself does not count.
        let sockets: Vec<_> = (0..members.div_ceil(1000)).map(|_| socket(true)).collect();
        sockets.iter().for_each(|(socket, _)| drop(socket.outlet()));
        let hub = hub(members);
        let mut all = Vec::with_capacity(members);
        let before = held();
        for number in 0..members {
            let member = hub.join(&sockets[number / 1000].0);
            then(&member, number);
            all.push(member);
        }
        let after = held();
        println!("{:>8.1} {what}", (after - before) as f64 / members as f64);
        drop(all);
        assert_eq!(hub.counts().connections, 0);
    }
}

fn times() {
    const ROUNDS: u32 = 500_000;
    println!("\njoins and leaves on one core, beside 0, 1,000 and 100,000 others");
    for others in [0, 1000, 100_000] {
        let hub = hub(1000);
        let (one, _driver) = socket(true);
        let held: Vec<_> = (0..others).map(|_| hub.join(&one)).collect();
        let time = |what: &str, round: &dyn Fn()| {
            let began = Instant::now();
            (0..ROUNDS).for_each(|_| round());
            let each = began.elapsed() / ROUNDS;
            println!("{others:>8} others: {each:>8.0?} {:>10.2} M/s  {what}", 1.0 / each.as_secs_f64() / 1e6);
        };
        time("join, leave", &|| drop(hub.join(&one)));
        time("join, login, subscribe, leave", &|| {
            let member = hub.join(&one);
            member.login("alice", Login::Replace).unwrap();
            member.subscribe("lobby").unwrap();
        });
        drop(held);
    }
}
