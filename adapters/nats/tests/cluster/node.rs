//! A program with a hub over NATS: what the cases start, kill and freeze.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::sync::{Arc, Mutex};

use endwell::http::StatusCode;
use endwell::hub::{Hub, HubConfig, HubEvent, Login, OnBus};
use endwell::tokio::Tokio;
use endwell::ws::{Close, CloseCode, Outlet, WhenFull};
use endwell::{Answered, Ended, Exchange, Server, ServerConfig, with_state};
use endwell_nats::NatsConfig;

/// What it has counted.
#[derive(Default)]
struct Counts {
    sent: u64,
    full: u64,
    lost: u64,
    missed: u64,
    down: u64,
    outlets: Vec<Outlet>,
}

struct App {
    hub: Hub,
    counts: Mutex<Counts>,
}

/// Runs until its standard input ends. The first line that it prints is its address.
pub(crate) async fn run(url: &str, name: &str) {
    let nats = NatsConfig::new("chat").name(name).connect(url).await.unwrap();
    let mut config = HubConfig::default();
    config.node = name.to_owned();
    let (hub, node) = Hub::over(&Tokio, nats, config);
    tokio::spawn(node);
    let app = Arc::new(App { hub, counts: Mutex::default() });
    tokio::spawn(count(Arc::clone(&app)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    // What a client on a busy machine is too slow for is not asked here.
    let mut config = ServerConfig::default();
    config.outlet.messages = 10_000;
    let server = Server::new(config, with_state(app, route));
    let _listening = server.listen(listener);
    let end = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0]));
    _ = end.await;
    std::process::exit(0);
}

/// Counts what the hub tells.
async fn count(app: Arc<App>) {
    let mut events = app.hub.events();
    loop {
        let event = events.next_event().await;
        let mut counts = app.counts.lock().unwrap();
        if let HubEvent::Lost { count, .. } = event {
            counts.lost += count;
        } else if let HubEvent::Missed { count, .. } = event {
            counts.missed += count;
        } else if let HubEvent::NodeDown { .. } = event {
            counts.down += 1;
        }
    }
}

async fn route(app: Arc<App>, exchange: Exchange) -> Result<Answered, Ended> {
    let Some(user) = exchange.path().strip_prefix("/ws/").map(ToOwned::to_owned) else {
        let state = state(&app);
        return Ok(exchange.respond(StatusCode::OK, state));
    };
    let acceptance = exchange.acceptance();
    let mut socket = match exchange.accept(acceptance) {
        Ok(socket) => socket,
        Err((reason, exchange)) => return Ok(exchange.respond(reason.head(), reason.to_string())),
    };
    let member = app.hub.join(&socket);
    member.login(&user, Login::Replace).unwrap();
    member.subscribe("lobby").unwrap();
    app.counts.lock().unwrap().outlets.push(socket.outlet());
    while let Some(message) = socket.receive_data().await {
        let receipt = app.hub.topic("lobby").send(message, WhenFull::DropOldest).await;
        let mut counts = app.counts.lock().unwrap();
        counts.sent += 1;
        counts.full += u64::from(receipt.bus == Some(OnBus::Full));
    }
    drop(member);
    Err(socket.close(Close::from(CloseCode::NORMAL)).await)
}

fn state(app: &App) -> String {
    let mut users: Vec<String> = app.hub.users().iter().map(ToString::to_string).collect();
    users.sort_unstable();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    let memory = memory.trim().trim_end_matches(" kB");
    let counts = app.counts.lock().unwrap();
    let lagged: u64 = counts.outlets.iter().map(Outlet::lagged).sum();
    let Counts { sent, full, lost, missed, down, .. } = &*counts;
    let mut state = format!("users {}\nnodes {}\n", users.join(","), app.hub.nodes().len());
    let is_stale = app.hub.stale_for().is_some();
    write!(
        state,
        "stale {is_stale}\nsent {sent}\nfull {full}\nlost {lost}\nmissed {missed}\ndown {down}\nlagged {lagged}\nmemory {memory}\n"
    )
    .unwrap();
    state
}
