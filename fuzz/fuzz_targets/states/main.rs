//! Every call of every state, in any order that compiles, under extreme limits.
//!
//! The first line of the input is the limits and the commands, over and over; the rest is what the peer sends. Whatever the
//! order: nothing panics, asking twice finds the same, what is held stays within its bounds, and a connection that ended
//! has one end.
#![no_main]

mod state;

use core::convert::Infallible;
use core::time::Duration;

use endwell_core::http::HttpLimits;
use endwell_core::http::client::ClientConnection;
use endwell_core::http::server::ServerConnection;
use endwell_core::{Arrived, Instant, Look, OutboxLimits, Wrote};
use libfuzzer_sys::fuzz_target;
use state::State;

/// Steps of one run: enough for some exchanges, and an end to a loop that goes nowhere.
const STEPS: usize = 400;
/// Heads are accepted beyond the bound of the output, one for each request that was taken, and control frames.
const BEYOND: usize = 8 << 10;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |&byte| byte == b'\n');
    let (plan, mut stream) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut bytes = plan.iter().copied();
    let mut next = || bytes.next();
    let (Some(role), Some(extreme)) = (next(), next()) else { return };
    let (limits, output) = limits(extreme);
    let bound = output.bytes.saturating_add(BEYOND);
    let mut state = if role & 1 == 0 {
        State::Server(ServerConnection::new(limits.clone().into(), output))
    } else {
        State::Client(ClientConnection::new(limits.clone().into(), output))
    };
    let mut now = Instant::default();
    let commands: Vec<u8> = std::iter::from_fn(next).collect();
    for step in 0..STEPS {
        let Some(&command) = commands.get(step % commands.len().max(1)) else { return };
        // What the application holds in memory anyway is accepted at any size, and is at most one body here.
        if let Some(mut io) = state.io() {
            assert!(io.queued() <= bound.saturating_add(state::BODY), "{} bytes are queued", io.queued());
            match command & 7 {
                0 | 1 => {
                    let len = stream.len().min(usize::from(command >> 3) * 8 + 1);
                    let mut taken = 0;
                    let Ok(_) = io.read(now, |room| {
                        taken = len.min(room.len());
                        room[..taken].copy_from_slice(&stream[..taken]);
                        Ok::<_, Infallible>(Look::Bytes(taken))
                    });
                    stream = &stream[taken..];
                }
                2 => {
                    let Ok(_) = io.write(now, |chunks| {
                        let len = chunks.next().map_or(0, <[u8]>::len);
                        Ok::<_, Infallible>(Some(len.min(usize::from(command >> 3) * 64 + 1)))
                    });
                }
                3 => {
                    now = now.saturating_add(Duration::from_millis(1 << (command >> 3 & 15)));
                    let Ok(arrived) = io.read(now, |_| Ok::<_, Infallible>(Look::Nothing));
                    if let Arrived::Nothing(Some(deadline)) = arrived {
                        assert!(deadline.at > now, "a deadline that has passed: {deadline:?}");
                    }
                    let Ok(wrote) = io.write(now, |_| Ok::<_, Infallible>(None));
                    if let Wrote::Stalled(_) = wrote {
                        return;
                    }
                }
                4 if command == 4 => {
                    let look = if stream.len() % 2 == 0 { Look::End } else { Look::Cut };
                    let Ok(arrived) = io.read(now, |_| Ok::<_, Infallible>(look));
                    if arrived == Arrived::Cut {
                        return;
                    }
                }
                5 if command >> 3 == 1 => {
                    let Ok(_) = io.read_ahead(now, |_| Ok::<_, Infallible>(Look::Nothing));
                }
                _ => state = state.step(command),
            }
        }
        if let State::Over = state {
            return;
        }
    }
});

/// Ordinary limits, or all of them at an end of their range.
fn limits(extreme: u8) -> (HttpLimits, OutboxLimits) {
    let (mut limits, mut output) = (HttpLimits::default(), OutboxLimits::default());
    let size = |bit: u8| if extreme & bit == 0 { 0 } else { usize::MAX };
    if extreme & 1 == 1 {
        (limits.head_bytes, limits.target_bytes, limits.fields) = (size(2), size(4), size(8));
        (limits.received_bytes, limits.trailer_bytes) = (size(16).min(1 << 20), size(32));
        limits.body_bytes = if extreme & 64 == 0 { 0 } else { u64::MAX };
        limits.drain_bytes = limits.body_bytes;
        limits.head_time = Duration::ZERO;
        limits.idle_time = Duration::MAX;
        (output.bytes, output.high_water) = (size(128).min(1 << 20), 0);
    }
    (limits, output)
}
