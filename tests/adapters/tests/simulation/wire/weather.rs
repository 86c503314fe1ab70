//! What a wire does to what it carries.

use std::time::Duration;

use endwell_core_tests::random::Random;

/// What a wire does.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    /// A read or a write takes at most so many bytes.
    pub(crate) longest: usize,
    /// A byte travels at most so long.
    pub(crate) delay: Duration,
    /// Bytes that are under way or unread, at the most.
    pub(crate) window: usize,
    /// Bytes that a layer above the wire holds back until it is flushed, at the most.
    pub(crate) holds: Option<usize>,
    /// Once in so many calls the turn of the task is used up: nobody has looked.
    pub(crate) turns: Option<usize>,
    /// Behind so many bytes of a direction nothing moves for a time, and then with a smaller window.
    pub(crate) stall: Option<(usize, usize, Duration)>,
    /// Behind so many bytes of a direction it is cut.
    pub(crate) cut: Option<(usize, usize, Cut)>,
    /// What the kernel below each end buffers. `None`: nothing, and it takes what the window has room for.
    pub(crate) kernel: Option<Kernel>,
    /// Bytes that arrive in a second, at the most. The peer takes them when they do: so it reads slowly and never pauses.
    pub(crate) rate: Option<usize>,
}

/// A kernel that buffers what it cannot send yet. Once it was full it takes nothing before much of its buffer is free.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernel {
    /// The size of its buffer.
    pub(crate) bytes: usize,
    /// So much must be free before it takes something again.
    pub(crate) free: usize,
    /// Whether it tells what the peer has not acknowledged.
    pub(crate) tells: bool,
}

impl Kernel {
    /// Megabytes, of which a third must be free: Linux as it is.
    pub(crate) fn as_it_is(bytes: usize, tells: bool) -> Self {
        Self { bytes, free: bytes / 3, tells }
    }

    /// 128 KiB, of which half must be free: Linux with `TCP_NOTSENT_LOWAT`.
    pub(crate) fn bounded(tells: bool) -> Self {
        Self { bytes: 128 << 10, free: 64 << 10, tells }
    }

    /// How much it takes when so much is in its buffer. `full`: it was, and not enough of it is free yet.
    pub(super) fn room(self, buffered: usize, full: &mut bool) -> usize {
        let free = self.bytes.saturating_sub(buffered);
        *full = free == 0 || (*full && free < self.free);
        if *full { 0 } else { free }
    }
}

impl Weather {
    /// Nothing ever goes wrong.
    pub(crate) const CALM: Self = Self {
        longest: 5000,
        delay: Duration::ZERO,
        window: 1 << 16,
        holds: None,
        turns: None,
        stall: None,
        cut: None,
        kernel: None,
        rate: None,
    };

    pub(crate) fn of(random: &mut Random) -> Self {
        let longest = *random.pick(&[1, 7, 100, 5000]);
        let window = *random.pick(&[longest.max(16), longest + 200, 1 << 16]);
        // At least 32 KiB a second, so that no limit is met without a stall.
        let most = Duration::from_nanos(window as u64 * 1_000_000_000 / (32 << 10));
        let delay = Duration::from_millis(*random.pick(&[0, 1, 30, 200])).min(most);
        let stall = random.one_in(3).then(|| {
            let time = *random.pick(&[100, 1500, 8000, 60_000, 200_000]);
            (random.below(2), random.below(1500), Duration::from_millis(time))
        });
        let cut = random.one_in(4).then(|| {
            let kind = if random.one_in(2) { Cut::End } else { Cut::Reset };
            (random.below(2), random.below(3000), kind)
        });
        let holds = random.one_in(3).then(|| *random.pick(&[16, 200, 1024]));
        let turns = random.one_in(2).then(|| 2 + random.below(20));
        Self { longest, delay, window, holds, turns, stall, cut, ..Self::CALM }
    }

    /// True if the kernel tells what the peer has not acknowledged.
    pub(crate) fn tells(&self) -> bool {
        self.kernel.is_some_and(|kernel| kernel.tells)
    }

    /// True if it does nothing by which a limit is met or anything is lost.
    pub(crate) fn is_calm(&self) -> bool {
        self.cut.is_none() && self.stall.is_none_or(|(_, _, time)| time < Duration::from_secs(2))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The direction ends as if its sender had closed.
    End,
    /// Both directions fail, and what was under way is lost.
    Reset,
}
