//! What a pool costs per connection that it hands out, with a request waiting at each of so many origins and 8 places for
//! them all: `pool-bench [ORIGINS..]`.
//!
//! Nothing is sent, and connections are made in memory, so this is the pool, the closing and the making of connections.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use endwell::client::{Origin, Pool, PoolLimits};
use endwell::{ClientConfig, Connector, Info, Runtime, Timer, Transport};

type Queue = Arc<Mutex<VecDeque<Arc<Task>>>>;

/// A task that is polled whenever it is in the queue.
struct Task {
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    queue: Queue,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let queue = Arc::clone(&self.queue);
        queue.lock().unwrap().push_back(self);
    }
}

fn spawn(queue: &Queue, future: impl Future<Output = ()> + Send + 'static) {
    Arc::new(Task { future: Mutex::new(Some(Box::pin(future))), queue: Arc::clone(queue) }).wake();
}

fn run(queue: &Queue) {
    loop {
        let Some(task) = queue.lock().unwrap().pop_front() else { return };
        let mut future = task.future.lock().unwrap();
        let waker = Waker::from(Arc::clone(&task));
        if let Some(polled) = &mut *future {
            if polled.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                *future = None;
            }
        }
    }
}

/// A peer that is silent.
struct Silence;

impl Transport for Silence {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_end_write(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self) {}
}

/// Time stands still.
struct StandStill;

impl Timer for StandStill {
    fn now(&self) -> endwell_core::Instant {
        endwell_core::Instant::from_epoch(Duration::ZERO)
    }

    fn poll_sleep(self: Pin<&mut Self>, _: &mut Context<'_>, _: endwell_core::Instant) -> Poll<()> {
        Poll::Pending
    }
}

#[derive(Clone)]
struct Memory(Queue);

impl Runtime for Memory {
    type Timer = StandStill;

    fn timer(&self) -> StandStill {
        StandStill
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        spawn(&self.0, task);
        Ok(())
    }
}

impl Connector for Memory {
    type Transport = Silence;
    type Runtime = Self;

    async fn connect(&self, _: &Origin) -> io::Result<(Silence, Info)> {
        Ok((Silence, Info::default()))
    }

    fn runtime(&self) -> Self {
        self.clone()
    }
}

fn measure(origins: usize) -> Duration {
    const GIVEN: usize = 20_000;
    let queue = Queue::default();
    let mut limits = PoolLimits::default();
    limits.connections = 8;
    let pool = Pool::new(Memory(Arc::clone(&queue)), ClientConfig::default(), limits);
    let given = Arc::new(AtomicUsize::new(0));
    for origin in 0..origins {
        let (pool, given) = (pool.clone(), Arc::clone(&given));
        let origin = Origin::http(&format!("host-{origin}.example"), 80);
        spawn(&queue, async move {
            while given.fetch_add(1, Ordering::Relaxed) < GIVEN {
                drop(pool.connection(&origin).await.expect("a connection"));
                let mut is_again = false;
                std::future::poll_fn(|cx| {
                    if is_again {
                        return Poll::Ready(());
                    }
                    is_again = true;
                    cx.waker().wake_by_ref();
                    Poll::Pending
                })
                .await;
            }
        });
    }
    let begin = Instant::now();
    run(&queue);
    let time = begin.elapsed();
    assert!(given.load(Ordering::Relaxed) >= GIVEN, "a request waits for ever");
    time / u32::try_from(GIVEN.max(origins)).expect("a small number")
}

fn main() {
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    for origins in if asked.is_empty() { vec![1, 16, 500, 16_000] } else { asked } {
        println!("{origins:>6} origins: {:?} for a connection", measure(origins));
    }
}
