//! An allocator that counts the bytes a thread holds.
//!
//! A test that measures makes it its own:
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: endwell_core_tests::counting::Counting = endwell_core_tests::counting::Counting;
//! ```

use core::cell::Cell;
use std::alloc::{GlobalAlloc, Layout, System};

/// Counts per thread, so that tests side by side do not disturb each other.
#[derive(Debug)]
pub struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// The bytes that this thread holds.
pub fn held() -> isize {
    HELD.get()
}

/// Runs `work`. Returns the most that this thread held at once meanwhile, beyond what it held before, in bytes.
pub fn most<R>(work: impl FnOnce() -> R) -> (usize, R) {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    (beyond(before, PEAK.get()), result)
}

/// Runs `work`. Returns what this thread holds after it, beyond what it held before, in bytes.
pub fn left(work: impl FnOnce()) -> usize {
    let before = HELD.get();
    work();
    beyond(before, HELD.get())
}

/// Drops `value`. Returns how much less this thread holds, in bytes.
pub fn freed<T>(value: T) -> usize {
    let before = HELD.get();
    drop(value);
    beyond(HELD.get(), before)
}

/// A thread may free what another has allocated, and hold less than nothing.
fn beyond(before: isize, after: isize) -> usize {
    usize::try_from(after - before).unwrap_or(0)
}

fn count(change: isize) {
    let held = HELD.get() + change;
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

fn size(layout: Layout) -> isize {
    isize::try_from(layout.size()).unwrap_or(isize::MAX)
}

// SAFETY: every call goes to the system's allocator unchanged; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(size(layout));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-size(layout));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}
