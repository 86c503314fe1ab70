//! Three programs on one NATS, with a client each, and what the clients saw.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use endwell::tokio::Tcp;
use endwell::ws;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

use crate::support::{self, LONG, Server};

/// The programs of a case.
pub(crate) const NODES: usize = 3;

pub(crate) struct Cluster {
    pub(crate) server: Server,
    pub(crate) nodes: Vec<Node>,
    pub(crate) clients: Vec<Client>,
}

pub(crate) struct Node {
    child: Child,
    address: String,
    pub(crate) is_dead: bool,
}

/// A user who sends numbered messages, and notes all that come.
pub(crate) struct Client {
    /// The numbers that came, of each user.
    received: Arc<Mutex<[Vec<u32>; NODES]>>,
    sent: Arc<AtomicU32>,
    /// How many are to be sent.
    wanted: watch::Sender<u32>,
    pub(crate) others: Arc<Mutex<Vec<String>>>,
}

impl Cluster {
    /// Starts all, and waits until each knows each. `None` without a nats-server.
    pub(crate) async fn start() -> Option<Self> {
        let server = Server::start(&[])?;
        let nodes: Vec<Node> = (0..NODES).map(|number| Node::start(&server, number)).collect();
        let mut clients = Vec::new();
        for (number, node) in nodes.iter().enumerate() {
            clients.push(Client::connect(&node.address, number).await);
        }
        let cluster = Self { server, nodes, clients };
        cluster.until("all know all", Duration::ZERO, is_whole).await;
        Some(cluster)
    }

    /// Polls the programs that live until all are as wanted, and returns how long that took.
    pub(crate) async fn until(
        &self,
        what: &str,
        least: Duration,
        is_right: impl Fn(&HashMap<String, String>) -> bool,
    ) -> Duration {
        let since = Instant::now();
        for node in self.nodes.iter().filter(|node| !node.is_dead) {
            loop {
                let state = node.state().await;
                if state.as_ref().is_some_and(&is_right) {
                    break;
                }
                assert!(since.elapsed() < LONG, "{what}: {state:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let took = since.elapsed();
        assert!(took >= least, "{what}: {took:?}");
        took
    }

    pub(crate) fn kill_node(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.child.kill().unwrap();
        node.child.wait().unwrap();
        node.is_dead = true;
    }

    /// The sum of a count over the programs that live.
    pub(crate) async fn sum(&self, count: &str) -> u64 {
        let mut sum = 0;
        for node in self.nodes.iter().filter(|node| !node.is_dead) {
            sum += node.count(count).await;
        }
        sum
    }

    /// Has clients send at a steady pace until they are told to stop.
    pub(crate) fn talk(&self) {
        for client in &self.clients {
            client.wanted.send_replace(u32::MAX);
        }
    }

    /// Stops the clients, and waits until every message has come or is counted as lost.
    pub(crate) async fn settle(&self) -> Tally {
        for client in &self.clients {
            client.wanted.send_replace(0);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let since = Instant::now();
        loop {
            let mut tally = self.tally();
            tally.counted = self.sum("lost").await;
            let is_whole = tally.delivered + tally.counted >= tally.expected;
            if is_whole || since.elapsed() > LONG {
                // What would come twice has time to.
                tokio::time::sleep(Duration::from_millis(300)).await;
                let counted = tally.counted;
                tally = self.tally();
                tally.counted = counted;
                for node in self.nodes.iter().filter(|node| !node.is_dead) {
                    tally.memory = tally.memory.max(node.count("memory").await);
                }
                tally.lagged = self.sum("lagged").await;
                return tally;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        let is_dead = |number: usize| self.nodes[number].is_dead;
        for sender in 0..NODES {
            let live = (0..NODES).filter(|number| !is_dead(*number));
            let lists: Vec<Vec<u32>> =
                live.map(|number| self.clients[number].received.lock().unwrap()[sender].clone()).collect();
            // What a killed program has not handed over is unknown: what came is counted, and may have no hole.
            let handed_over = lists.iter().flatten().max().map_or(0, |last| u64::from(*last) + 1);
            let sent = if is_dead(sender) {
                handed_over
            } else {
                u64::from(self.clients[sender].sent.load(Relaxed))
            };
            tally.sent += sent;
            for list in lists {
                let of_list = if is_dead(sender) {
                    list.iter().max().map_or(0, |last| u64::from(*last) + 1)
                } else {
                    sent
                };
                tally.expected += of_list;
                let mut unique = list.clone();
                unique.sort_unstable();
                unique.dedup();
                tally.delivered += count(unique.len());
                tally.doubled += count(list.len() - unique.len());
                tally.disordered += count(list.windows(2).filter(|pair| pair[0] >= pair[1]).count());
            }
        }
        tally
    }
}

/// What became of the messages of a case.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    /// As many deliveries as there are messages and receivers that live.
    pub(crate) expected: u64,
    pub(crate) delivered: u64,
    pub(crate) doubled: u64,
    pub(crate) disordered: u64,
    /// What the hubs' events counted as lost.
    pub(crate) counted: u64,
    /// What the clients were too slow for.
    pub(crate) lagged: u64,
    /// The most KiB that a program had.
    pub(crate) memory: u64,
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap()
}

pub(crate) fn is_whole(state: &HashMap<String, String>) -> bool {
    state["users"] == "u0,u1,u2" && state["nodes"] == "2" && state["stale"] == "false"
}

impl Node {
    fn start(server: &Server, number: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(crate::URL, server.url())
            .env(crate::NAME, format!("n{number}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().to_owned(), is_dead: false }
    }

    pub(crate) fn signal(&self, signal: &str) {
        support::signal(self.child.id(), signal);
    }

    /// What it says of itself. `None` if it does not answer.
    pub(crate) async fn state(&self) -> Option<HashMap<String, String>> {
        let ask = async {
            let mut stream = tokio::net::TcpStream::connect(&self.address).await?;
            stream.write_all(b"GET /state HTTP/1.0\r\n\r\n").await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = tokio::time::timeout(Duration::from_secs(1), ask).await.ok()?.ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        let pairs = body.lines().filter_map(|line| line.split_once(' '));
        Some(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    pub(crate) async fn count(&self, name: &str) -> u64 {
        let state = self.state().await.unwrap();
        state[name].parse().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Client {
    async fn connect(address: &str, number: usize) -> Self {
        let socket = ws::connect(format!("ws://{address}/ws/u{number}")).open(&Tcp).await.unwrap();
        let (mut sends, mut receives) = socket.split();
        let (wanted, mut wants) = watch::channel(0);
        let sent = Arc::new(AtomicU32::new(0));
        let numbers = Arc::new(Mutex::new(<[Vec<u32>; NODES]>::default()));
        let others = Arc::new(Mutex::new(Vec::new()));
        let notes = (Arc::clone(&numbers), Arc::clone(&others));
        tokio::spawn(async move {
            while let Some(message) = receives.receive_data().await {
                let text = message.into_text().unwrap();
                match text
                    .split_once(' ')
                    .map(|(user, number)| (user.parse::<usize>(), number.parse::<u32>()))
                {
                    Some((Ok(user), Ok(number))) => notes.0.lock().unwrap()[user].push(number),
                    _ => notes.1.lock().unwrap().push(text.clone()),
                }
            }
        });
        let next = Arc::clone(&sent);
        tokio::spawn(async move {
            loop {
                let most = *wants.borrow_and_update();
                let n = next.load(Relaxed);
                if n >= most {
                    if wants.changed().await.is_err() {
                        return;
                    }
                    continue;
                }
                next.store(n + 1, Relaxed);
                if sends.send(format!("{number} {n}")).await.is_err() {
                    return;
                }
                // A steady pace, unless they are wanted at once.
                if most == u32::MAX {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        });
        Self { received: numbers, sent, wanted, others }
    }

    /// Sends a number of messages at once.
    pub(crate) fn send(&self, count: u32) {
        self.wanted.send_replace(count);
    }
}
