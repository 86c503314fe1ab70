//! A thread that runs one future.

use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use endwell::core::Instant;
use endwell::{Runtime, Timer};
use loom::thread::{self, Thread};

/// Waits for its waker, and for nothing else: loom's own `block_on` also wakes without a reason, which makes many more
/// schedules and forgives a wake-up that is lost.
struct Parker {
    thread: Thread,
    /// One step for loom each time. Wake-ups that come together are one.
    is_woken: loom::sync::atomic::AtomicBool,
    /// Changes in the same step. `unpark` is only for who is parked: it would also let a thread go on that waits
    /// for a lock.
    is_parked: AtomicBool,
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.swap(true, Ordering::AcqRel);
        if self.is_parked.swap(false, Ordering::Relaxed) {
            self.thread.unpark();
        }
    }
}

impl Parker {
    fn new() -> Self {
        Self { thread: thread::current(), is_woken: false.into(), is_parked: false.into() }
    }

    fn park(&self) {
        while !self.is_woken.swap(false, Ordering::AcqRel) {
            self.is_parked.store(true, Ordering::Relaxed);
            thread::park();
        }
    }
}

/// Runs a future on this thread. It is polled again only when it was woken.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let parker = Arc::new(Parker::new());
    let waker = Waker::from(Arc::clone(&parker));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        parker.park();
    }
}

/// Threads of loom as a runtime, on which time stands still.
#[derive(Clone, Copy)]
pub struct Threads;

impl Runtime for Threads {
    type Timer = Self;

    fn timer(&self) -> Self {
        Self
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        // It ends with its connection, or loom says that somebody waits for ever.
        drop(crate::spawn(|| block_on(task)));
        Ok(())
    }
}

impl Timer for Threads {
    fn now(&self) -> Instant {
        Instant::default()
    }

    fn poll_sleep(self: Pin<&mut Self>, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

/// Polls once, and does not care what wakes it.
pub fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// A task that only those hold who will wake it, as an executor's does that stops: the last waker drops it.
pub struct Detached(Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Detached {
    /// Polls `task` once, and leaves it to its wakers.
    pub fn start(task: impl Future<Output = ()> + Send + 'static) {
        let detached = Arc::new(Self(Mutex::new(Some(Box::pin(task)))));
        let waker = Waker::from(Arc::clone(&detached));
        let mut task = detached.0.lock().unwrap().take().expect("it was put there");
        assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        *detached.0.lock().unwrap() = Some(task);
    }
}

impl Wake for Detached {
    fn wake(self: Arc<Self>) {}
}
