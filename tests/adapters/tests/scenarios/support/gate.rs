//! Words between a scenario and its handlers, on whatever runtime.

use std::sync::{Arc, mpsc};

use tokio::sync::Semaphore;

use super::LONG;

/// Handlers wait here until the scenario lets them through.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Waits to be let through.
    pub(crate) async fn pass(&self) {
        self.0.acquire().await.unwrap().forget();
    }

    /// Lets `count` of those who wait, or will wait, through.
    pub(crate) fn open(&self, count: usize) {
        self.0.add_permits(count);
    }
}

/// What handlers tell the scenario.
pub(crate) fn told<T>() -> (mpsc::SyncSender<T>, Told<T>) {
    let (tell, told) = mpsc::sync_channel(1000);
    (tell, Told(told))
}

pub(crate) struct Told<T>(mpsc::Receiver<T>);

impl<T> Told<T> {
    /// The next word.
    pub(crate) fn next(&self) -> T {
        self.0.recv_timeout(LONG).expect("a word from a handler")
    }
}
