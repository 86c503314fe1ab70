//! Unpredictable numbers: keys of handshakes and of masks.

use std::time::Duration;

use endwell_core::ws::Masks;
use rand::Rng;

/// The random part of a handshake's key.
pub(crate) fn nonce() -> [u8; 16] {
    rand::rng().random()
}

/// The mask keys of one connection's frames.
///
/// The generator belongs to the thread: a cryptographic one (ChaCha), seeded by the system, and again after every 64
/// KiB. So a connection holds no state for it, and a frame costs no system call.
pub(crate) fn masks() -> Masks {
    Masks::new(|| rand::rng().random())
}

/// The name of a node among others.
#[cfg(feature = "cluster")]
pub(crate) fn number() -> u64 {
    rand::rng().random()
}

/// A time between zero and `longest`, each with the same probability.
pub(crate) fn up_to(longest: Duration) -> Duration {
    rand::rng().random_range(Duration::ZERO..=longest)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_keys_of_handshakes_do_not_repeat() {
        let threads: Vec<_> =
            (0..4).map(|_| std::thread::spawn(|| (0..10_000).map(|_| nonce()).collect::<Vec<_>>())).collect();
        let keys: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect();
        let distinct: HashSet<_> = keys.iter().collect();
        assert_eq!((keys.len(), distinct.len()), (40_000, 40_000));
    }
}
