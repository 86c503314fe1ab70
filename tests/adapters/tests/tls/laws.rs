//! Laws of the transport, over a wire in memory that splits, holds back, has little room, cuts turns short and is cut off,
//! by seed: what is read is what was written, nobody waits for ever, and only close_notify is the end.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker, ready};

use endwell::Transport;
use endwell::tls::TlsStream;
use endwell::tls::rustls::pki_types::ServerName;
use endwell_core_tests::random::Random;

use crate::authority::{authority, identity};
use crate::support::pattern;

/// One direction.
#[derive(Default)]
struct Way {
    held: Vec<u8>,
    arrived: VecDeque<u8>,
    moved: usize,
    ended: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What a wire does, in both directions.
#[derive(Clone, Debug)]
struct Weather {
    longest: usize,
    window: usize,
    /// Nothing arrives before it was flushed, or this much is held.
    holds: usize,
    /// Once in so many calls the turn is over.
    turns: usize,
    /// The direction of this number ends behind so many bytes, as if its sender had closed.
    cut: Option<(usize, usize)>,
}

struct Wire {
    ways: [Mutex<Way>; 2],
    weather: Weather,
    random: Mutex<Random>,
}

struct End {
    wire: Arc<Wire>,
    side: usize,
}

impl End {
    /// True if the turn is over: whoever waits is woken.
    fn is_out_of_turn(&self, cx: &Context<'_>) -> bool {
        let is_over = self.wire.random.lock().unwrap().one_in(self.wire.weather.turns);
        if is_over {
            cx.waker().wake_by_ref();
        }
        is_over
    }

    fn out(&self) -> std::sync::MutexGuard<'_, Way> {
        self.wire.ways[self.side].lock().unwrap()
    }

    /// Moves what is held to where it is read, as far as there is room.
    fn pass_on(&self, way: &mut Way) {
        let Weather { window, cut, .. } = self.wire.weather;
        let room = window.saturating_sub(way.arrived.len()).min(way.held.len());
        let len = match cut {
            Some((side, behind)) if side == self.side => {
                if way.moved + room >= behind {
                    way.ended = true;
                }
                room.min(behind.saturating_sub(way.moved))
            }
            _ => room,
        };
        way.arrived.extend(way.held[..len].iter().copied());
        // What is cut off is gone.
        way.held.drain(..room);
        way.moved += room;
        if let Some(reader) = way.reader.take() {
            reader.wake();
        }
    }
}

impl Transport for End {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        assert!(!buffer.is_empty());
        if self.is_out_of_turn(cx) {
            return Poll::Pending;
        }
        let mut way = self.wire.ways[1 - self.side].lock().unwrap();
        if way.arrived.is_empty() {
            if way.ended {
                return Poll::Ready(Ok(0));
            }
            way.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let len = buffer.len().min(self.wire.weather.longest).min(way.arrived.len());
        for (to, from) in buffer.iter_mut().zip(way.arrived.drain(..len)) {
            *to = from;
        }
        if let Some(writer) = way.writer.take() {
            writer.wake();
        }
        Poll::Ready(Ok(len))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.is_out_of_turn(cx) {
            return Poll::Pending;
        }
        let mut way = self.out();
        let Weather { longest, holds, .. } = self.wire.weather;
        if way.held.len() >= holds.max(1) {
            self.pass_on(&mut way);
        }
        let room = longest.min(holds.max(1).saturating_sub(way.held.len()));
        if room == 0 {
            way.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).take(room).collect();
        way.held.extend(&bytes);
        if holds == 0 {
            self.pass_on(&mut way);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_out_of_turn(cx) {
            return Poll::Pending;
        }
        let mut way = self.out();
        self.pass_on(&mut way);
        if way.held.is_empty() {
            return Poll::Ready(Ok(()));
        }
        way.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        let mut way = self.out();
        way.ended = true;
        if let Some(reader) = way.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self) {}
}

impl Drop for End {
    fn drop(&mut self) {
        for way in &self.wire.ways {
            let mut way = way.lock().unwrap();
            way.ended = true;
            let wakers = [way.reader.take(), way.writer.take()];
            wakers.into_iter().flatten().for_each(Waker::wake);
        }
    }
}

type Shared = Arc<Mutex<TlsStream<End>>>;

/// Writes all of `data` in random pieces, and ends.
async fn write(stream: Shared, data: Vec<u8>, mut random: Random) -> io::Result<()> {
    let mut written = 0;
    while written < data.len() {
        let rest = &data[written..];
        let (first, second) = rest.split_at(random.below(rest.len().min(2000)));
        let second = &second[..second.len().min(1 + random.below(40_000))];
        let slices = [IoSlice::new(first), IoSlice::new(second)];
        let len = std::future::poll_fn(|cx| stream.lock().unwrap().poll_write(cx, &slices)).await?;
        assert!(len > 0 && len <= 16 << 10, "{len}");
        written += len;
        if random.one_in(3) {
            std::future::poll_fn(|cx| stream.lock().unwrap().poll_flush(cx)).await?;
        }
    }
    std::future::poll_fn(|cx| stream.lock().unwrap().poll_end_write(cx)).await
}

/// Reads up to the end, or until it fails.
async fn read(stream: Shared, mut random: Random) -> (Vec<u8>, io::Result<()>) {
    let mut all = Vec::new();
    let mut buffer = vec![0; 70_000];
    loop {
        let buffer = &mut buffer[..=random.below(70_000)];
        match std::future::poll_fn(|cx| stream.lock().unwrap().poll_read(cx, buffer)).await {
            Ok(0) => return (all, Ok(())),
            Ok(len) => all.extend(&buffer[..len]),
            Err(error) => return (all, Err(error)),
        }
    }
}

/// Is woken.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs tasks that are woken one by one, in random order. Those that nobody will ever wake are not done.
fn run(tasks: &mut [Pin<Box<dyn Future<Output = ()> + '_>>], random: &mut Random) -> bool {
    let flags: Vec<_> = tasks.iter().map(|_| Arc::new(Flag(AtomicBool::new(true)))).collect();
    let mut done = vec![false; tasks.len()];
    while done.contains(&false) {
        let woken: Vec<_> = (0..tasks.len())
            .filter(|&number| !done[number] && flags[number].0.load(Ordering::Relaxed))
            .collect();
        if woken.is_empty() {
            return false;
        }
        let number = *random.pick(&woken);
        flags[number].0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&flags[number]));
        done[number] = tasks[number].as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
    }
    true
}

fn world(seed: u64) {
    let mut random = Random::new(seed);
    let longest = *random.pick(&[1, 7, 100, 5000, 100_000]);
    let window = *random.pick(&[1, 50, 3000, 100_000]);
    let most = if longest.min(window) < 100 { 2000 } else { 60_000 };
    let weather = Weather {
        longest,
        window,
        holds: *random.pick(&[0, 0, 20, 1000]),
        turns: *random.pick(&[3, 10, 1000]),
        cut: random.one_in(2).then(|| (random.below(2), random.below(most))),
    };
    let wire = Arc::new(Wire {
        ways: Default::default(),
        weather: weather.clone(),
        random: Mutex::new(Random::new(seed + 1)),
    });
    let end = |side| End { wire: Arc::clone(&wire), side };
    let name = ServerName::try_from("localhost").unwrap();
    let client = TlsStream::client(end(0), authority().client(), name).unwrap();
    let server = TlsStream::server(end(1), identity().server()).unwrap();
    let streams = [client, server].map(|stream| Arc::new(Mutex::new(stream)));
    // Who has nothing to say at all ends within the handshake, and so ends the handshake.
    let data = [(); 2].map(|()| pattern(1 + random.below(most)));

    let mut written = [(); 2].map(|()| None);
    let mut received = [(); 2].map(|()| None);
    {
        let mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
        for (side, (written, received)) in written.iter_mut().zip(&mut received).enumerate() {
            let (stream, data) = (&streams[side], data[side].clone());
            let writing = write(Arc::clone(stream), data, Random::new(seed + 2));
            tasks.push(Box::pin(async { *written = Some(writing.await) }));
            let reading = read(Arc::clone(stream), Random::new(seed + 3));
            tasks.push(Box::pin(async { *received = Some(reading.await) }));
        }
        let is_done = run(&mut tasks, &mut random);
        // A peer that was cut off says nothing any more, and may be waited for: that is what limits are for.
        assert!(is_done || weather.cut.is_some(), "seed {seed}: tasks that nobody wakes, in {weather:?}");
    }
    for side in 0..2 {
        let from = &data[1 - side];
        let Some((read, end)) = &received[side] else { continue };
        assert!(from.starts_with(read), "seed {seed}: not what was written, in {weather:?}");
        match end {
            Ok(()) => {
                assert_eq!(read.len(), from.len(), "seed {seed}: an end before the end, in {weather:?}");
            }
            Err(error) => {
                assert!(weather.cut.is_some(), "seed {seed}: {error}, in {weather:?}");
                assert!(
                    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::NotConnected),
                    "seed {seed}: {error}, in {weather:?}"
                );
            }
        }
        assert!(
            weather.cut.is_some() || matches!(written[side], Some(Ok(()))),
            "seed {seed}, in {weather:?}"
        );
    }
}

#[test]
fn by_seed() {
    let seeds = match std::env::var("SEED") {
        Ok(seed) => seed.parse().unwrap()..=seed.parse().unwrap(),
        Err(_) => 1..=200,
    };
    seeds.for_each(world);
}
