//! CPU per echoed message of a WebSocket client, on one thread: a bare client that knows no protocol, and ours in both forms.
//!
//!   ws-client ADDRESS [rounds, default 3] [seconds per measurement, default 1]
//!
//! The server is the example `serve`, or another that echoes at `/ws`. The bare client sends frames that were made before, and counts the bytes that come back.

use std::cell::Cell;
use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use endwell::ws::{CloseCode, Socket};
use endwell::{ClientConfig, tokio::Tcp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Connections, messages in flight on each, bytes of each.
const LOADS: [(usize, usize, usize); 4] = [(10, 1, 20), (10, 16, 20), (10, 16, 1024), (10, 4, 16 << 10)];
const FORMS: [&str; 3] = ["bare", "spawned", "run by its driver"];

#[derive(Clone)]
struct Load {
    address: SocketAddr,
    flight: usize,
    bytes: usize,
    until: Instant,
    echoed: Rc<Cell<u64>>,
}

impl Load {
    fn goes_on(&self) -> bool {
        self.echoed.set(self.echoed.get() + 1);
        Instant::now() < self.until
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address: SocketAddr = arguments.next().ok_or("ws-client ADDRESS [rounds] [seconds]")?.parse()?;
    let rounds: usize = arguments.next().map_or(Ok(3), |rounds| rounds.parse())?;
    let seconds: f64 = arguments.next().map_or(Ok(1.0), |seconds| seconds.parse())?;
    println!("connections, in flight, bytes: CPU us per message, x bare (medians of {rounds})");
    for (connections, flight, bytes) in LOADS {
        let mut results = [const { Vec::new() }; FORMS.len()];
        for _ in 0..rounds {
            for (form, results) in FORMS.into_iter().zip(&mut results) {
                let until = Instant::now() + Duration::from_secs_f64(seconds);
                let load = Load { address, flight, bytes, until, echoed: Rc::default() };
                results.push(measure(form, connections, &load)?);
            }
        }
        let medians = results.map(|mut results| {
            results.sort_by(f64::total_cmp);
            results[results.len() / 2]
        });
        for (form, median) in FORMS.into_iter().zip(medians) {
            println!("{connections} {flight} {bytes} {form}: {median:.3} {:.2}", median / medians[0]);
        }
    }
    Ok(())
}

/// The CPU time of this thread per message, in microseconds.
fn measure(form: &str, connections: usize, load: &Load) -> Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let before = cpu_time()?;
    runtime.block_on(tokio::task::LocalSet::new().run_until(async {
        let clients: Vec<_> = (0..connections)
            .map(|_| {
                let load = load.clone();
                match form {
                    "bare" => tokio::task::spawn_local(async {
                        bare(load).await.map_err(|error| error.to_string())
                    }),
                    "spawned" => tokio::task::spawn_local(async {
                        spawned(load).await.map_err(|error| error.to_string())
                    }),
                    _ => {
                        tokio::task::spawn_local(async { run(load).await.map_err(|error| error.to_string()) })
                    }
                }
            })
            .collect();
        for client in clients {
            client.await??;
        }
        Ok::<_, Box<dyn Error>>(())
    }))?;
    Ok((cpu_time()? - before).as_secs_f64() * 1e6 / load.echoed.get() as f64)
}

fn cpu_time() -> Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().ok_or("no time")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

async fn bare(load: Load) -> Result<()> {
    let mut stream = TcpStream::connect(load.address).await?;
    stream.set_nodelay(true)?;
    stream
        .write_all(
            b"GET /ws HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
              sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await?;
    let mut input = vec![0; 64 << 10];
    let mut filled = 0;
    while !input[..filled].ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut input[filled..]).await?;
        if read == 0 || !input.starts_with(b"HTTP/1.1 101") {
            return Err("the server opens no WebSocket".into());
        }
        filled += read;
    }
    let frame = frame(load.bytes);
    let answer = frame.len() - 4;
    stream.write_all(&frame.repeat(load.flight)).await?;
    let mut partial = 0;
    loop {
        let read = stream.read(&mut input).await?;
        if read == 0 {
            return Err("the server has left".into());
        }
        partial += read;
        let messages = partial / answer;
        partial %= answer;
        for _ in 0..messages {
            if !load.goes_on() {
                return Ok(());
            }
        }
        if messages > 0 {
            stream.write_all(&frame.repeat(messages)).await?;
        }
    }
}

/// A masked binary frame.
fn frame(len: usize) -> Vec<u8> {
    let mut frame = vec![0x82];
    match u16::try_from(len) {
        Ok(short @ ..126) => frame.push(0x80 | short as u8),
        Ok(long) => {
            frame.push(0xfe);
            frame.extend(long.to_be_bytes());
        }
        Err(_) => unreachable!("loads are smaller"),
    }
    frame.extend([1, 2, 3, 4]);
    frame.resize(frame.len() + len, b'x');
    frame
}

async fn spawned(load: Load) -> Result<()> {
    let url = format!("ws://{}/ws", load.address);
    echo(Socket::connect(&Tcp, &url, &ClientConfig::default()).await?, load).await
}

async fn run(load: Load) -> Result<()> {
    let url = format!("ws://{}/ws", load.address);
    let (socket, mut driver) = Socket::dial(&Tcp, &url, &ClientConfig::default()).await?;
    driver.run(echo(socket, load)).await
}

async fn echo(mut socket: Socket, load: Load) -> Result<()> {
    let message = Bytes::from(vec![b'x'; load.bytes]);
    for _ in 0..load.flight {
        socket.send(message.clone()).await?;
    }
    while let Some(message) = socket.receive().await {
        if !load.goes_on() {
            break;
        }
        socket.send(message).await?;
    }
    socket.close(CloseCode::NORMAL).await;
    Ok(())
}
