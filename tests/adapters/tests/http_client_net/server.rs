//! Servers on blocking sockets, which know bytes and nothing else: they can break every rule.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;
use tokio::sync::oneshot;

use crate::support::LONG;

/// A server in a thread of its own. Waited for when dropped.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    thread: Option<JoinHandle<Result<(), ()>>>,
    done: oneshot::Receiver<()>,
}

/// A connection that a client has made.
pub(crate) struct Accepted(pub(crate) TcpStream);

/// Serves one connection after the other, one for each script.
pub(crate) fn scripted<const N: usize>(scripts: [fn(Accepted); N]) -> Scripted {
    serving(move |listener| {
        for script in scripts {
            script(accept(listener));
        }
    })
}

/// Serves one connection.
pub(crate) fn once(script: impl FnOnce(Accepted) + Send + 'static) -> Scripted {
    serving(move |listener| script(accept(listener)))
}

/// Serves connections as `serve` does.
pub(crate) fn serving(serve: impl FnOnce(&TcpListener) + Send + 'static) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, done) = oneshot::channel();
    let thread = thread::spawn(move || {
        serve(&listener);
        tell.send(())
    });
    Scripted { address, thread: Some(thread), done }
}

pub(crate) fn accept(listener: &TcpListener) -> Accepted {
    let socket = listener.accept().unwrap().0;
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket.set_write_timeout(Some(LONG)).unwrap();
    Accepted(socket)
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take().filter(|_| !thread::panicking()) {
            // A scenario need not wait for it.
            let _ = thread.join().unwrap();
        }
    }
}

impl Scripted {
    /// Waits until all scripts were played, while the client's runtime goes on.
    pub(crate) async fn done(mut self) {
        (&mut self.done).await.expect("scripts that are played to their end");
    }
}

impl Accepted {
    /// The head of the next request.
    pub(crate) fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        String::from_utf8(head).unwrap()
    }

    pub(crate) fn read(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    /// Each byte in a segment of its own, as far as the system lets it.
    pub(crate) fn send_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.set_nodelay(true).unwrap();
        for byte in bytes.as_ref() {
            self.0.write_all(&[*byte]).unwrap();
        }
    }

    /// Each byte in a segment of its own, and then the end. The client may have left within them.
    pub(crate) fn send_last(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.set_nodelay(true).unwrap();
        let _ = bytes.as_ref().iter().try_for_each(|byte| self.0.write_all(&[*byte]));
        let _ = self.0.shutdown(Shutdown::Write);
    }

    /// The client closes, or resets, and sends nothing before.
    pub(crate) fn assert_left(&mut self) {
        match self.0.read(&mut [0; 100]) {
            Ok(0) => {}
            Ok(len) => panic!("{len} bytes instead of the end"),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }

    /// The client closes, or resets, whatever it sends before.
    pub(crate) fn until_left(&mut self) -> usize {
        let mut all = 0;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match self.0.read(&mut buffer) {
                Ok(0) => return all,
                Ok(len) => all += len,
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
                    return all;
                }
            }
        }
    }

    pub(crate) fn reset(self) {
        SockRef::from(&self.0).set_linger(Some(Duration::ZERO)).unwrap();
    }
}
