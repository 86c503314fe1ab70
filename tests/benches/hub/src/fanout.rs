//! One message of 1 KiB for many receivers, of which one in a hundred stands still: CPU of a delivered message by a topic
//! of the hub, by `broadcast` on the same outlets, and by tokio's broadcast channel, from which each connection takes and
//! encodes its own. All on one thread; what is sent is written to nowhere, so nothing but this costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use endwell::hub::{Hub, Member};
use endwell::ws::{Delivery, Outlet, Socket, WhenFull, broadcast};
use tokio::sync::broadcast as channel;
use tokio::task::{JoinHandle, yield_now};

use crate::counting::held;
use crate::cpu;
use crate::wire::socket;

const BATCHES: usize = 7;
const FULL: WhenFull = WhenFull::DropOldest;

pub fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!(
        "ns of CPU a delivered message of 1 KiB (median of {BATCHES} batches in turn), and KiB held for a receiver"
    );
    println!(
        "{:>9} {:>8} | {:>9} {:>9} {:>9} | {:>9} {:>9} | {:>14} {:>14}",
        "receivers",
        "stalled",
        "broadcast",
        "hub",
        "tokio's",
        "hub adds",
        "least",
        "KiB outlets",
        "KiB tokio's"
    );
    for (receivers, messages) in [(1, 100_000), (100, 5_000), (10_000, 60)] {
        runtime.block_on(async { tokio::spawn(compare(receivers, messages)).await.unwrap() });
    }
}

/// Takes a socket that stands still if its number says so.
fn takes(number: usize) -> bool {
    number % 100 != 99
}

async fn compare(receivers: usize, messages: usize) {
    let before = held();
    let outlets = Outlets::new(receivers);
    let hub = Hub::default();
    let members = outlets.join(&hub);
    let channel = Channel::new(receivers);
    let text = "x".repeat(1024);
    let [mut bare, mut by_hub, mut tokios, mut added] = [(); 4].map(|()| Vec::new());
    // The queues of those that stand still are full from here on.
    outlets.send(&text, 1100).await;
    let (with_outlets, begun) = (held() - before, held());
    channel.send(&text, 1100).await;
    let with_channel = held() - begun + channel.held;
    for batch in 0..BATCHES {
        let one = async || outlets.send(&text, messages).await;
        let other = async || outlets.send_by(&hub, &text, messages).await;
        // Neither is always behind the other.
        let (first, second) = if batch % 2 == 0 {
            (one().await, other().await)
        } else {
            let second = other().await;
            (one().await, second)
        };
        bare.push(first);
        by_hub.push(second);
        added.push(second - first);
        tokios.push(channel.send(&text, messages).await);
    }
    let least =
        by_hub.iter().copied().fold(f64::MAX, f64::min) - bare.iter().copied().fold(f64::MAX, f64::min);
    let kib = |bytes: usize| bytes as f64 / 1024.0 / receivers as f64;
    println!(
        "{receivers:>9} {:>8} | {:>9.0} {:>9.0} {:>9.0} | {:>9.0} {least:>9.0} | {:>14.2} {:>14.2}",
        (0..receivers).filter(|number| !takes(*number)).count(),
        median(bare),
        median(by_hub),
        median(tokios),
        median(added),
        kib(with_outlets),
        kib(with_channel),
    );
    drop(members);
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Connections whose tasks take from their outlets.
struct Outlets {
    sockets: Vec<Socket>,
    outlets: Vec<Outlet>,
    tasks: Vec<JoinHandle<()>>,
}

impl Outlets {
    fn new(receivers: usize) -> Self {
        let (mut sockets, mut outlets, mut tasks) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..receivers {
            let (socket, driver) = socket(takes(number));
            outlets.push(socket.outlet());
            sockets.push(socket);
            tasks.push(tokio::spawn(async move { drop(driver.await) }));
        }
        Self { sockets, outlets, tasks }
    }

    fn join(&self, hub: &Hub) -> Vec<Member> {
        let join = |socket| {
            let member = hub.join(socket);
            member.subscribe("room").unwrap();
            member
        };
        self.sockets.iter().map(join).collect()
    }

    /// Nanoseconds a delivered message. Each is taken by all connections before the next is sent.
    async fn send(&self, text: &str, messages: usize) -> f64 {
        let began = cpu();
        let mut delivered = 0_u64;
        for _ in 0..messages {
            let receivers = self.outlets.iter().map(|outlet| (outlet, FULL));
            for delivery in broadcast(text, receivers).await {
                delivered += u64::from(matches!(delivery, Delivery::Accepted | Delivery::Lagged(_)));
            }
            yield_now().await;
        }
        (cpu() - began) as f64 / delivered as f64
    }

    async fn send_by(&self, hub: &Hub, text: &str, messages: usize) -> f64 {
        let began = cpu();
        let mut delivered = 0;
        for _ in 0..messages {
            delivered += hub.topic("room").send(text, FULL).await.delivered();
            yield_now().await;
        }
        (cpu() - began) as f64 / delivered as f64
    }
}

impl Drop for Outlets {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Connections that each take from a channel, and encode what they take.
struct Channel {
    send: channel::Sender<Arc<str>>,
    delivered: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<()>>,
    held: usize,
}

impl Channel {
    fn new(receivers: usize) -> Self {
        let before = held();
        let (send, _) = channel::channel::<Arc<str>>(1024);
        let delivered = Arc::new(AtomicU64::new(0));
        let tasks = (0..receivers)
            .map(|number| {
                let (mut socket, mut driver) = socket(takes(number));
                let (mut receive, delivered) = (send.subscribe(), Arc::clone(&delivered));
                tokio::spawn(async move {
                    let taking = async move {
                        loop {
                            match receive.recv().await {
                                Ok(text) => {
                                    if socket.send(&*text).await.is_err() {
                                        break;
                                    }
                                    delivered.fetch_add(1, Ordering::Relaxed);
                                }
                                Err(channel::error::RecvError::Lagged(_)) => {}
                                Err(channel::error::RecvError::Closed) => break,
                            }
                        }
                    };
                    driver.run(taking).await;
                })
            })
            .collect();
        Self { send, delivered, tasks, held: held() - before }
    }

    async fn send(&self, text: &str, messages: usize) -> f64 {
        yield_now().await;
        let (began, before) = (cpu(), self.delivered.load(Ordering::Relaxed));
        for _ in 0..messages {
            let _ = self.send.send(text.into());
            yield_now().await;
        }
        yield_now().await;
        let delivered = self.delivered.load(Ordering::Relaxed) - before;
        (cpu() - began) as f64 / delivered as f64
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
