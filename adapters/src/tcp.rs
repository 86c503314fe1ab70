//! Sets and queries TCP sockets, on every runtime.

use std::time::Duration;

use socket2::{Socket, TcpKeepalive};

/// Limits the unsent bytes that the kernel holds for a connection to 128 KiB, if the system has `TCP_NOTSENT_LOWAT`
/// (Linux, Android). A system without it keeps its own limit.
///
/// Without this limit Linux takes megabytes at once, and then nothing until a third of them is free. A peer that
/// steadily reads 30 KB/s then looks silent for minutes, a message waits behind megabytes that cannot be withdrawn, and
/// each slow peer holds megabytes of kernel memory.
///
/// Linux reports a socket as writable again when half of the limit is free. So a peer that reads 2 KB/s, the slowest
/// that deserves to be served, is seen to take 64 KiB every 32 s, which is within the 60 s of silence that are allowed.
/// Data in flight does not count, so the limit does not reduce the throughput of a long path. It only has to last until
/// the task runs again, and lasts 1 ms at 1 Gbit/s and 100 us at 10 Gbit/s.
pub(crate) fn bound_unsent(socket: &Socket) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        /// See above.
        const UNSENT: u32 = 128 << 10;
        // A connection without the bound still works.
        let _ = socket.set_tcp_notsent_lowat(UNSENT);
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = socket;
}

/// Lets the kernel ask a silent peer whether it is there: after 60 s without a byte, then every 15 s, four times at most.
///
/// A handler that works, an event stream without events and a tunnel may be silent for hours, and a peer whose machine
/// lost its network sends no end. So it is noticed within two minutes, for four small packets. Peers that are there
/// answer from their kernel.
///
/// While something is not acknowledged the kernel sends that again instead of asking, on Linux for 15 minutes. What is
/// queued has the pace of the output meanwhile, and a WebSocket has its pings.
pub(crate) fn keep_alive(socket: &Socket) {
    let keep_alive = TcpKeepalive::new().with_time(Duration::from_secs(60));
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple", target_os = "freebsd"))]
    let keep_alive = keep_alive.with_interval(Duration::from_secs(15)).with_retries(4);
    // A connection without it still works.
    let _ = socket.set_tcp_keepalive(&keep_alive);
}

/// The number of bytes that the kernel has taken and the peer has not acknowledged. `None` if the system cannot tell.
#[cfg(not(target_os = "linux"))]
pub(crate) fn unacknowledged(_: &Socket) -> Option<u64> {
    None
}

#[cfg(target_os = "linux")]
pub(crate) use diagnosis::unacknowledged;

/// Queries what SIOCOUTQ reports, which safe code cannot call, through sock_diag(7): one question about one socket,
/// which the kernel answers at once. It costs a few system calls, and is asked only before a peer would be given up.
#[cfg(target_os = "linux")]
mod diagnosis {
    use std::io::{Read, Write};
    use std::net::{IpAddr, SocketAddr};

    use socket2::{Domain, Protocol, Socket, Type};

    /// The number of bytes that the kernel has taken and the peer has not acknowledged. `None` if the system cannot
    /// tell: a sandbox may forbid the question.
    pub(crate) fn unacknowledged(socket: &Socket) -> Option<u64> {
        let local = socket.local_addr().ok()?.as_socket()?;
        let peer = socket.peer_addr().ok()?.as_socket()?;
        let kernel = Type::DGRAM.nonblocking().cloexec();
        let kernel = Socket::new(Domain::from(NETLINK), kernel, Some(Protocol::from(SOCK_DIAG))).ok()?;
        let question = question(local, peer);
        (&kernel).write_all(&question).ok()?;
        let mut answer = [0; 512];
        let len = (&kernel).read(&mut answer).ok()?;
        read(answer.get(..len)?)
    }

    /// A netlink header and an `inet_diag_req_v2`.
    fn question(local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
        let mut question = Vec::with_capacity(LEN.into());
        question.extend(u32::from(LEN).to_ne_bytes());
        question.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        question.extend(REQUEST.to_ne_bytes());
        // Sequence number and sender: nothing else is asked on this socket.
        question.extend([0; 8]);
        let family = if local.is_ipv4() { INET } else { INET6 };
        question.extend([family, TCP, 0, 0]);
        // In any state.
        question.extend(u32::MAX.to_ne_bytes());
        question.extend(local.port().to_be_bytes());
        question.extend(peer.port().to_be_bytes());
        put_address(local.ip(), &mut question);
        put_address(peer.ip(), &mut question);
        let interface = match local {
            SocketAddr::V6(local) => local.scope_id(),
            SocketAddr::V4(_) => 0,
        };
        question.extend(interface.to_ne_bytes());
        question.extend(NO_COOKIE);
        question
    }

    fn put_address(address: IpAddr, question: &mut Vec<u8>) {
        match address {
            IpAddr::V4(address) => {
                question.extend(address.octets());
                question.extend([0; 12]);
            }
            IpAddr::V6(address) => question.extend(address.octets()),
        }
    }

    /// A netlink header and an `inet_diag_msg`, or an error.
    fn read(answer: &[u8]) -> Option<u64> {
        let kind = answer.get(4..6)?.try_into().ok()?;
        if u16::from_ne_bytes(kind) != SOCK_DIAG_BY_FAMILY {
            return None;
        }
        // `idiag_wqueue`.
        let queued = answer.get(76..80)?.try_into().ok()?;
        Some(u32::from_ne_bytes(queued).into())
    }

    // linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
    const NETLINK: i32 = 16;
    const SOCK_DIAG: i32 = 4;
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const REQUEST: u16 = 1;
    const INET: u8 = 2;
    const INET6: u8 = 10;
    const TCP: u8 = 6;
    const NO_COOKIE: [u8; 8] = [0xff; 8];
    const LEN: u16 = 72;

    #[cfg(test)]
    mod tests {
        use std::io::{ErrorKind, Write};
        use std::net::{TcpListener, TcpStream};

        use socket2::SockRef;

        use super::*;

        /// A connection that is filled until the kernel takes no more, and the number of bytes that it took.
        fn pair(address: &str) -> (TcpStream, TcpStream, u64) {
            let listener = TcpListener::bind(address).unwrap();
            let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (reader, _) = listener.accept().unwrap();
            sender.set_nonblocking(true).unwrap();
            let mut taken = 0;
            loop {
                match sender.write(&[7; 4096]) {
                    Ok(len) => taken += u64::try_from(len).unwrap(),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return (sender, reader, taken),
                    Err(error) => panic!("{error}"),
                }
            }
        }

        #[test]
        fn what_the_peer_has_acknowledged_is_told() {
            for address in ["127.0.0.1:0", "[::1]:0"] {
                let (sender, mut reader, taken) = pair(address);
                let before = unacknowledged(&SockRef::from(&sender)).expect("sock_diag");
                assert!(before > 0 && before < taken, "{before} of {taken}");
                // What the peer's kernel holds is read, and it has room for more.
                let held = usize::try_from(taken - before).unwrap();
                reader.read_exact(&mut vec![0; held]).unwrap();
                let mut more = 0;
                while more == 0 {
                    more = reader.read(&mut [0; 4096]).unwrap();
                }
                let after = unacknowledged(&SockRef::from(&sender)).expect("sock_diag");
                assert!(after < before, "{after}, before {before}");
            }
        }

        #[test]
        fn a_socket_that_is_not_connected_has_no_answer() {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            assert_eq!(unacknowledged(&SockRef::from(&listener)), None);
        }

        /// An error repeats the question, and is long enough to hold a number.
        #[test]
        fn an_error_is_none() {
            const ERROR: u16 = 2;
            let mut answer = vec![1; 92];
            answer[4..6].copy_from_slice(&ERROR.to_ne_bytes());
            assert_eq!(read(&answer), None);
        }

        #[test]
        fn an_answer_that_is_cut_short_is_none() {
            let mut answer = vec![0; 80];
            answer[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
            answer[76] = 1;
            assert!(read(&answer).is_some());
            for len in 0..80 {
                assert_eq!(read(&answer[..len]), None);
            }
        }
    }
}

#[cfg(all(
    test,
    target_os = "linux",
    feature = "tokio",
    feature = "smol",
    feature = "async-std",
    feature = "blocking"
))]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::AsFd;
    use std::time::Duration;

    use socket2::SockRef;

    use crate::client::{Origin, Url};
    use crate::{Connector, Listener};

    /// Both ends of a connection that a runtime accepts and makes.
    async fn ends<L: Listener>(
        listener: L,
        connector: impl Connector<Transport = L::Transport>,
        origin: &Origin,
    ) -> [L::Transport; 2] {
        let (connected, _) = connector.connect(origin).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        [connected, accepted]
    }

    fn bound() -> (TcpListener, Origin) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        (listener, url.origin())
    }

    fn is_bounded(ends: [impl AsFd; 2]) {
        for end in &ends {
            let socket = SockRef::from(end);
            assert!(socket.keepalive().unwrap());
            assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(60));
            assert_eq!(SockRef::from(end).tcp_notsent_lowat().unwrap(), 128 << 10);
        }
    }

    #[test]
    fn what_the_kernel_holds_unsent_is_bounded_and_silence_is_noticed_on_every_runtime() {
        let (listener, origin) = bound();
        let runtime = ::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = ::tokio::net::TcpListener::from_std(listener).unwrap();
            is_bounded(
                ends(listener, crate::tokio::Tcp, &origin).await.map(crate::tokio::Stream::into_inner),
            );
        });
        let (listener, origin) = bound();
        let listener = ::smol::net::TcpListener::try_from(listener).unwrap();
        let ends_of_smol = ::smol::block_on(ends(listener, crate::smol::Tcp, &origin));
        is_bounded(ends_of_smol.map(crate::smol::Stream::into_inner));
        let (listener, origin) = bound();
        let listener = ::async_std::net::TcpListener::from(listener);
        let ends_of_async_std = ::async_std::task::block_on(ends(listener, crate::async_std::Tcp, &origin));
        is_bounded(ends_of_async_std.map(crate::async_std::Stream::into_inner));
        let (listener, origin) = bound();
        let ends_of_threads = crate::blocking::block_on(ends(listener, crate::blocking::Tcp, &origin));
        is_bounded(ends_of_threads.map(crate::blocking::Stream::into_inner));
    }
}
