//! Counts the work of decompression, for the law that bounds it. Only in tests and fuzzing.

use super::inflater::Window;

#[cfg(any(test, fuzzing))]
std::thread_local! {
    static WORK: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
}

/// The cost of a reset, as the bytes that are copied in the same time.
#[cfg(any(test, fuzzing))]
pub(super) const RESET: u64 = 1024;

/// The work done on this thread, in bytes: those that were decompressed, those that were loaded into a window, and for
/// each reset as many as are copied in the same time.
#[cfg(any(test, fuzzing))]
#[cfg_attr(not(fuzzing), expect(unreachable_pub, reason = "fuzz targets ask for it"))]
pub fn done() -> u64 {
    WORK.get()
}

#[cfg(any(test, fuzzing))]
fn add(bytes: u64) {
    WORK.set(WORK.get() + bytes);
}

#[cfg(any(test, fuzzing))]
pub(super) fn loaded(window: Window<'_>) {
    let copied = window.map(<[u8]>::len).iter().sum::<usize>().min(super::window::WindowBits::MOST.bytes());
    add(RESET + crate::convert::u64_from(copied));
}

#[cfg(any(test, fuzzing))]
pub(super) fn inflated(bytes: usize) {
    add(crate::convert::u64_from(bytes));
}

#[cfg(not(any(test, fuzzing)))]
pub(super) fn loaded(_: Window<'_>) {}

#[cfg(not(any(test, fuzzing)))]
pub(super) fn inflated(_: usize) {}
