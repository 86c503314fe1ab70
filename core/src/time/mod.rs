//! Time, as the driver reports it: the core reads no clock.

mod clock;
mod deadline;
mod instant;
pub(crate) mod pace;

pub(crate) use clock::Clock;
pub use deadline::Deadline;
pub use instant::Instant;
pub use pace::{Pace, Total};
