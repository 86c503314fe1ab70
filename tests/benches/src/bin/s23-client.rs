//! S23: the same requests by three clients side by side, over three connections each, to a server that answers one request
//! of each connection and closes a while later, and says so or not. What comes to it meanwhile is lost.
//!
//!   s23-client [requests per measurement, default 20000] [clients: endwell hyper reqwest; default all]

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use endwell::client::{Origin, Pool, PoolLimits};
use endwell::http::{Method, Request};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;

const CONNECTIONS: usize = 3;

#[derive(Default)]
struct Served {
    connections: AtomicUsize,
    answers: AtomicUsize,
}

/// Serves until the process ends.
fn serve(delay: Duration, announces: bool) -> std::io::Result<(SocketAddr, Arc<Served>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (address, served) = (listener.local_addr()?, Arc::<Served>::default());
    thread::spawn({
        let served = Arc::clone(&served);
        move || {
            for socket in listener.incoming().flatten() {
                served.connections.fetch_add(1, Ordering::SeqCst);
                let served = Arc::clone(&served);
                thread::spawn(move || answer(socket, delay, announces, &served));
            }
        }
    });
    Ok((address, served))
}

fn answer(mut socket: TcpStream, delay: Duration, announces: bool, served: &Served) -> std::io::Result<()> {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read(&mut buffer)? {
            0 => return Ok(()),
            len => head.extend_from_slice(&buffer[..len]),
        }
    }
    served.answers.fetch_add(1, Ordering::SeqCst);
    let close = if announces { "connection: close\r\n" } else { "" };
    socket.write_all(format!("HTTP/1.1 200 OK\r\n{close}content-length: 5\r\n\r\nhello").as_bytes())?;
    thread::sleep(delay);
    Ok(())
}

#[derive(Clone)]
enum Client {
    Endwell(Pool<endwell::tokio::Tcp>),
    Hyper(legacy::Client<HttpConnector, Empty<Bytes>>),
    Reqwest(reqwest::Client),
}

impl Client {
    fn new(name: &str) -> Result<Self, Box<dyn Error>> {
        Ok(match name {
            "endwell" => {
                let mut limits = PoolLimits::default();
                limits.per_origin = CONNECTIONS;
                Self::Endwell(Pool::new(endwell::tokio::Tcp, endwell::ClientConfig::default(), limits))
            }
            "hyper" => {
                let mut builder = legacy::Client::builder(TokioExecutor::new());
                Self::Hyper(builder.pool_max_idle_per_host(CONNECTIONS).build_http())
            }
            "reqwest" => Self::Reqwest(
                reqwest::Client::builder().no_proxy().pool_max_idle_per_host(CONNECTIONS).build()?,
            ),
            other => return Err(format!("no such client: {other}").into()),
        })
    }

    /// One GET. How often it was sent again, if that is told.
    async fn get(&self, address: SocketAddr) -> Result<u32, Box<dyn Error + Send + Sync>> {
        let (body, retries) = match self {
            Self::Endwell(pool) => {
                let head = Request::new(Method::Get, &address.to_string(), "/")?;
                let origin = Origin::http(&address.ip().to_string(), address.port());
                let mut received = pool.send(&origin, &head, "").await?;
                (received.read_all(100).await?, received.retries())
            }
            Self::Hyper(client) => {
                let response = client.get(format!("http://{address}/").parse()?).await?;
                (response.into_body().collect().await?.to_bytes(), 0)
            }
            Self::Reqwest(client) => {
                (client.get(format!("http://{address}/")).send().await?.bytes().await?, 0)
            }
        };
        if &body[..] == b"hello" { Ok(retries) } else { Err("another body".into()) }
    }
}

async fn measure(client: Client, address: SocketAddr, requests: usize) -> Result<[usize; 2], Box<dyn Error>> {
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                let (mut failures, mut retries) = (0, 0);
                for _ in (task..requests).step_by(CONNECTIONS) {
                    match client.get(address).await {
                        Ok(again) => retries += again as usize,
                        Err(_) => failures += 1,
                    }
                }
                [failures, retries]
            })
        })
        .collect();
    let mut sum = [0, 0];
    for task in tasks {
        let [failures, retries] = task.await?;
        sum = [sum[0] + failures, sum[1] + retries];
    }
    Ok(sum)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let requests = arguments.next().map_or(Ok(20_000), |requests| requests.parse())?;
    let mut clients: Vec<_> = arguments.collect();
    if clients.is_empty() {
        clients = ["endwell", "hyper", "reqwest"].map(str::to_owned).into();
    }
    println!("the server closes   client   requests failures  retries  answers connections");
    for delay in [0, 1, 5, 20] {
        for announces in [true, false] {
            for name in &clients {
                let (address, served) = serve(Duration::from_millis(delay), announces)?;
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
                let [failures, retries] = runtime.block_on(measure(Client::new(name)?, address, requests))?;
                let retries = if name == "endwell" { retries.to_string() } else { "not told".into() };
                let answers = served.answers.load(Ordering::SeqCst);
                let connections = served.connections.load(Ordering::SeqCst);
                let how = if announces { "announced" } else { "silent" };
                println!(
                    "{delay:>2} ms, {how:<9}    {name:<8} {requests:>8} {failures:>8} {retries:>8} {answers:>8} {connections:>11}"
                );
            }
        }
    }
    Ok(())
}
