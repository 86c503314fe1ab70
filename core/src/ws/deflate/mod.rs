//! Compression of messages: permessage-deflate, RFC 7692.
//!
//! Without feature `deflate` the types of [`absent`] stand in: they have no value, so code that uses one is compiled
//! away.

#[cfg(not(feature = "deflate"))]
mod absent;
#[cfg(feature = "deflate")]
mod agreement;
#[cfg(feature = "deflate")]
mod compression;
#[cfg(feature = "deflate")]
mod deflater;
#[cfg(feature = "deflate")]
mod extensions;
#[cfg(feature = "deflate")]
mod history;
#[cfg(feature = "deflate")]
mod inflater;
#[cfg(feature = "deflate")]
mod inflating;
#[cfg(feature = "deflate")]
mod offered;
#[cfg(feature = "deflate")]
mod parameters;
#[cfg(feature = "deflate")]
mod pool;
#[cfg(feature = "deflate")]
mod receiving;
#[cfg(feature = "deflate")]
mod sending;
#[cfg(feature = "deflate")]
mod settings;
#[cfg(feature = "deflate")]
mod shared;
#[cfg(feature = "deflate")]
mod window;
#[cfg(feature = "deflate")]
mod work;
#[cfg(all(test, feature = "deflate"))]
mod work_law;

#[cfg(not(feature = "deflate"))]
pub(super) use absent::{Compression, Inflating, Receiving, Sending, SharedForm};
#[cfg(feature = "deflate")]
pub use agreement::Agreement;
#[cfg(feature = "deflate")]
pub use compression::Compression;
#[cfg(feature = "deflate")]
pub use extensions::MalformedExtensions;
#[cfg(feature = "deflate")]
pub(super) use inflating::Inflating;
#[cfg(feature = "deflate")]
pub(super) use receiving::Receiving;
#[cfg(feature = "deflate")]
pub(super) use sending::Sending;
#[cfg(feature = "deflate")]
pub use settings::Deflate;
#[cfg(feature = "deflate")]
pub(super) use shared::SharedForm;
#[cfg(feature = "deflate")]
pub use window::WindowBits;
#[cfg(all(feature = "deflate", fuzzing))]
pub use work::done as inflating_work;
