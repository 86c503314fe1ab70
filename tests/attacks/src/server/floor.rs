//! What the machine itself takes: an echo of bytes on plain threads, beside the server and in its process.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

/// Starts the echo. The honest client asks it as often as the server, so that its latency shows how much of the server's
/// is due to the system's scheduler and two busy cores.
pub fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = socket.set_nodelay(true);
                let mut buffer = [0; 64];
                while let Ok(len @ 1..) = socket.read(&mut buffer) {
                    if socket.write_all(&buffer[..len]).is_err() {
                        break;
                    }
                }
            });
        }
    });
    Ok(address)
}
