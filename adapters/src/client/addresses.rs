//! Races the addresses of a name: RFC 8305.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

/// The head start of each address before the next one is tried too. RFC 8305 5 recommends it.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first of `addresses` that responds. Each has a head start on the next one, so a silent address does
/// not hold up the others (RFC 8305).
pub(crate) async fn first<R, F, S>(
    addresses: impl IntoIterator<Item = SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
    sleep: impl Fn(Duration) -> S,
) -> io::Result<R>
where
    F: Future<Output = io::Result<R>>,
    S: Future<Output = ()>,
{
    let mut attempts = Attempts { running: Vec::new(), last: None };
    for address in in_turns(addresses) {
        attempts.running.push(Box::pin(connect(address)));
        let mut head_start = pin!(sleep(HEAD_START));
        let connected = std::future::poll_fn(|cx| match attempts.poll(cx) {
            Poll::Ready(connected) => Poll::Ready(connected),
            Poll::Pending => head_start.as_mut().poll(cx).map(|()| None),
        });
        if let Some(connected) = connected.await {
            return Ok(connected);
        }
    }
    let connected = std::future::poll_fn(|cx| attempts.poll(cx)).await;
    connected.ok_or_else(|| {
        let none = || io::Error::new(io::ErrorKind::NotFound, "expected an address of the name, got none");
        attempts.last.unwrap_or_else(none)
    })
}

/// Alternates between the address families, starting with the first: if one does not work, the other is tried soon (RFC
/// 8305 4).
fn in_turns(addresses: impl IntoIterator<Item = SocketAddr>) -> impl Iterator<Item = SocketAddr> {
    let mut addresses = addresses.into_iter().peekable();
    let first_is_v6 = addresses.peek().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.partition(|address| address.is_ipv6() == first_is_v6);
    let longer = first.len().max(second.len());
    (0..longer).flat_map(move |index| [first.get(index).copied(), second.get(index).copied()]).flatten()
}

/// The attempts in progress.
struct Attempts<F> {
    running: Vec<Pin<Box<F>>>,
    last: Option<io::Error>,
}

impl<R, F: Future<Output = io::Result<R>>> Attempts<F> {
    /// The first that succeeds. `None` if all have failed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<R>> {
        let mut index = 0;
        while let Some(attempt) = self.running.get_mut(index) {
            match attempt.as_mut().poll(cx) {
                Poll::Pending => index += 1,
                Poll::Ready(Ok(connected)) => return Poll::Ready(Some(connected)),
                Poll::Ready(Err(error)) => {
                    self.last = Some(error);
                    drop(self.running.remove(index));
                }
            }
        }
        if self.running.is_empty() { Poll::Ready(None) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Connects to `addresses`: those of port 1 are silent, those of port 2 refuse, and the others respond. Returns the
    /// one connected to, and those tried, in order. The time never comes before it is needed.
    fn dial(addresses: &[&str]) -> (io::Result<SocketAddr>, Vec<SocketAddr>) {
        let tried = Mutex::new(Vec::new());
        let connect = |address: SocketAddr| {
            tried.lock().map(|mut tried| tried.push(address)).unwrap_or_default();
            async move {
                match address.port() {
                    1 => std::future::pending().await,
                    2 => Err(io::ErrorKind::ConnectionRefused.into()),
                    _ => Ok(address),
                }
            }
        };
        let addresses: Vec<_> = addresses.iter().map(|text| address(text)).collect();
        let connected = smol::block_on(first(addresses, connect, |_| std::future::ready(())));
        (connected, tried.into_inner().unwrap_or_default())
    }

    #[test]
    fn families_take_turns_and_the_first_that_answers_is_taken() {
        let (connected, tried) = dial(&["[::1]:1", "[::2]:2", "[::3]:3", "1.1.1.1:2", "1.1.1.2:4"]);
        assert_eq!(connected.ok(), Some(address("1.1.1.2:4")));
        assert_eq!(tried, ["[::1]:1", "1.1.1.1:2", "[::2]:2", "1.1.1.2:4"].map(address));
    }

    #[test]
    fn the_last_error_is_told() {
        let (connected, tried) = dial(&["1.1.1.1:2", "1.1.1.2:2"]);
        assert_eq!(connected.map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionRefused));
        assert_eq!(tried.len(), 2);
        let (connected, _) = dial(&[]);
        assert_eq!(connected.map_err(|error| error.kind()), Err(io::ErrorKind::NotFound));
    }
}
