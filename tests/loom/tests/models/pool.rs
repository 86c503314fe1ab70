//! A pool with one place: its holder, those who wait for it, and the tasks of its connections.

use std::io;
use std::sync::{Arc, Mutex};

use endwell::client::{Origin, Pool, PoolLimits};
use endwell::http::{Method, Request};
use endwell::{ClientConfig, Connector, Info};
use endwell_loom::{Explore, Pipe, Threads, block_on, poll_once, spawn};

/// Makes connections in memory. The one that is made first is known.
#[derive(Clone)]
struct Pipes {
    first: Arc<Mutex<Option<Pipe>>>,
}

impl Connector for Pipes {
    type Transport = Pipe;
    type Runtime = Threads;

    async fn connect(&self, _origin: &Origin) -> io::Result<(Pipe, Info)> {
        let first = self.first.lock().unwrap().take();
        Ok((first.unwrap_or_else(|| Pipe::new().http()), Info::default()))
    }

    fn runtime(&self) -> Threads {
        Threads
    }
}

fn pool(first: Pipe) -> Pool<Pipes> {
    let mut limits = PoolLimits::default();
    limits.connections = 1;
    Pool::new(Pipes { first: Arc::new(Mutex::new(Some(first))) }, ClientConfig::default(), limits)
}

fn origin() -> Origin {
    Origin::http("a", 80)
}

async fn take(pool: Pool<Pipes>) {
    drop(pool.connection(&origin()).await.unwrap());
}

fn assert_all_idle(pool: &Pool<Pipes>) {
    let occupancy = pool.occupancy();
    assert_eq!((occupancy.connections, occupancy.idle, occupancy.waiting), (1, 1, 0));
}

/// The first in the line leaves it while the connection comes back; the second gets it.
#[test]
fn a_wait_is_dropped() {
    Explore::preemptions("a pool: the holder, a wait that is dropped, the next, the driver", 3).check(|| {
        let pool = pool(Pipe::new().http());
        let held = block_on(pool.connection(&origin())).unwrap();
        let mut first = Box::pin(take(pool.clone()));
        assert!(poll_once(&mut first).is_none(), "it is the first in the line");
        let second = spawn({
            let pool = pool.clone();
            move || block_on(take(pool))
        });
        let leaver = spawn(move || drop(first));
        drop(held);
        leaver.join().unwrap();
        second.join().unwrap();
        assert_all_idle(&pool);
    });
}

/// The holder's exchange is cut off: whoever waits gets the place, once the socket is closed.
#[test]
fn a_connection_is_given_up() {
    Explore::preemptions("a pool: a request that is given up, a wait, two drivers", 3).check(|| {
        let pool = pool(Pipe::new().http());
        let held = block_on(pool.connection(&origin())).unwrap();
        let waiting = spawn({
            let pool = pool.clone();
            move || block_on(take(pool))
        });
        let head = Request::new(Method::Get, "a", "/").unwrap();
        drop(held.send(&head, ""));
        waiting.join().unwrap();
        assert_all_idle(&pool);
    });
}

/// The server leaves while its connection comes back and is handed on.
#[test]
fn the_server_leaves() {
    Explore::preemptions("a pool: the holder, a wait, a server that leaves, two drivers", 2).check(|| {
        let pipe = Pipe::with_peer().http();
        let pool = pool(pipe.clone());
        let held = block_on(pool.connection(&origin())).unwrap();
        let waiting = spawn({
            let pool = pool.clone();
            move || block_on(take(pool))
        });
        let server = spawn(move || pipe.end());
        drop(held);
        server.join().unwrap();
        waiting.join().unwrap();
        assert!(pool.occupancy().connections <= 1);
    });
}
