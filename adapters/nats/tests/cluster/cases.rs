//! What happens to the programs and to NATS.

use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::harness::{Cluster, Tally, is_whole};
use crate::support::{LONG, Raw};

/// A case, as a line of the table.
pub(crate) struct Row {
    pub(crate) case: &'static str,
    pub(crate) presence: String,
    pub(crate) tally: Tally,
}

type Case = fn() -> Pin<Box<dyn Future<Output = Option<Row>> + Send>>;

pub(crate) const CASES: [Case; 7] = [
    || Box::pin(killed_node()),
    || Box::pin(frozen_node()),
    || Box::pin(killed_nats()),
    || Box::pin(frozen_nats()),
    || Box::pin(late()),
    || Box::pin(beyond_the_ring()),
    || Box::pin(shell()),
];

/// While all talk.
const WHILE: Duration = Duration::from_secs(1);

/// Slack for a machine that is busy with the other cases.
const SLACK: Duration = Duration::from_secs(2);

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Nothing is lost, and nothing else is wrong.
fn check(case: &str, tally: &Tally) {
    assert_eq!((tally.doubled, tally.disordered, tally.lagged), (0, 0, 0), "{case}: {tally:?}");
    assert_eq!(tally.expected - tally.delivered, tally.counted, "{case}: {tally:?}");
}

async fn killed_node() -> Option<Row> {
    let case = "a program is killed";
    let mut cluster = Cluster::start().await?;
    cluster.talk();
    tokio::time::sleep(WHILE).await;
    cluster.kill_node(2);
    let gone = |state: &std::collections::HashMap<String, String>| {
        state["users"] == "u0,u1" && state["nodes"] == "1"
    };
    let took = cluster.until(case, Duration::from_secs(2), gone).await;
    assert!(took < Duration::from_secs(4) + SLACK, "{took:?}");
    let tally = cluster.settle().await;
    check(case, &tally);
    assert_eq!(tally.counted, 0, "{tally:?}");
    Some(Row { case, presence: seconds(took), tally })
}

async fn frozen_node() -> Option<Row> {
    let case = "a program is frozen for 5 s";
    let cluster = Cluster::start().await?;
    cluster.talk();
    tokio::time::sleep(WHILE).await;
    cluster.nodes[2].signal("STOP");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(cluster.nodes[0].count("down").await == 1, "it was declared dead meanwhile");
    cluster.nodes[2].signal("CONT");
    let took = cluster.until(case, Duration::ZERO, is_whole).await;
    assert!(took < Duration::from_secs(4) + SLACK, "{took:?}");
    let tally = cluster.settle().await;
    check(case, &tally);
    assert_eq!(tally.counted, 0, "{tally:?}");
    Some(Row { case, presence: seconds(took), tally })
}

async fn killed_nats() -> Option<Row> {
    let case = "NATS is killed, and back after 2 s";
    let mut cluster = Cluster::start().await?;
    cluster.talk();
    tokio::time::sleep(WHILE).await;
    cluster.server.kill();
    cluster.until("stale", Duration::ZERO, |state| state["stale"] == "true").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    cluster.server.restart();
    let row = after_cut(case, &cluster).await;
    Some(row)
}

async fn frozen_nats() -> Option<Row> {
    let case = "NATS is frozen for 8 s";
    let cluster = Cluster::start().await?;
    cluster.talk();
    tokio::time::sleep(WHILE).await;
    cluster.server.signal("STOP");
    let stale = cluster.until("stale", Duration::ZERO, |state| state["stale"] == "true").await;
    assert!(stale < Duration::from_secs(3) + SLACK, "{stale:?}");
    tokio::time::sleep(Duration::from_secs(8).saturating_sub(stale)).await;
    cluster.server.signal("CONT");
    Some(after_cut(case, &cluster).await)
}

/// All are right again, none was declared dead, and nothing is lost.
async fn after_cut(case: &'static str, cluster: &Cluster) -> Row {
    let took = cluster.until(case, Duration::ZERO, is_whole).await;
    let tally = cluster.settle().await;
    check(case, &tally);
    assert_eq!(tally.counted, 0, "{case}: {tally:?}");
    assert_eq!(cluster.sum("down").await, 0, "{case}: none is dead");
    Row { case, presence: seconds(took), tally }
}

async fn late() -> Option<Row> {
    const MESSAGES: u32 = 1000;
    let case = "1,000 are sent while NATS is away; the receivers are back 0.6 s after the sender";
    let mut cluster = Cluster::start().await?;
    away(&mut cluster, MESSAGES).await;
    for node in &cluster.nodes[1..] {
        node.signal("STOP");
    }
    cluster.server.restart();
    let since = Instant::now();
    while cluster.server.connections() < 1 {
        assert!(since.elapsed() < LONG);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    for node in &cluster.nodes[1..] {
        node.signal("CONT");
    }
    Some(after_cut(case, &cluster).await)
}

/// Kills NATS, and has a client send meanwhile.
async fn away(cluster: &mut Cluster, messages: u32) {
    cluster.server.kill();
    cluster.until("stale", Duration::ZERO, |state| state["stale"] == "true").await;
    cluster.clients[0].send(messages);
    let since = Instant::now();
    while cluster.nodes[0].count("sent").await < u64::from(messages) {
        assert!(since.elapsed() < LONG);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn beyond_the_ring() -> Option<Row> {
    const MESSAGES: u32 = 6000;
    // What two others miss: all but the 4,096 that are kept.
    const LOST: u64 = 2 * (6000 - 4096);
    let case = "6,000 are sent while NATS is away: more than are kept";
    let mut cluster = Cluster::start().await?;
    away(&mut cluster, MESSAGES).await;
    assert_eq!(cluster.nodes[0].count("full").await, LOST / 2, "the receipts say so at once");
    cluster.server.restart();
    let took = cluster.until(case, Duration::ZERO, is_whole).await;
    let tally = cluster.settle().await;
    check(case, &tally);
    assert_eq!(tally.counted, LOST, "{tally:?}");
    let since = Instant::now();
    while cluster.nodes[0].count("missed").await != LOST {
        assert!(since.elapsed() < LONG, "the sender is told too");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Some(Row { case, presence: seconds(took), tally })
}

async fn shell() -> Option<Row> {
    let case = "a shell says something in the room (`nats pub`)";
    let cluster = Cluster::start().await?;
    let mut raw = Raw::connect(&cluster.server);
    raw.write(b"PUB chat.m.topic.lobby 5\r\nhello\r\n");
    let since = Instant::now();
    for client in &cluster.clients {
        while client.others.lock().unwrap().is_empty() {
            assert!(since.elapsed() < LONG);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(*client.others.lock().unwrap(), ["hello"]);
    }
    let mut tally = cluster.settle().await;
    (tally.sent, tally.expected, tally.delivered) = (1, 3, 3);
    Some(Row { case, presence: "-".into(), tally })
}
