//! The proof that endwell-core needs no std: `cargo run` builds it, and exits 0 if one answer is right.
//!
//! That std is absent from the whole link is certain, because this program defines what std defines: the panic
//! handler (a second one is a duplicate lang item, an error wherever in the graph std is linked), and the symbol
//! `rust_eh_personality`. Nor is there an allocator but the one below. The target has a std, so nothing
//! but these definitions keeps it out; libc gives `_start`, `memcpy` and `_exit`.
#![no_std]
#![no_main]

use bytes::Bytes;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::convert::Infallible;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};
use endwell_core::http::server::{After, Next, ServerConnection};
use endwell_core::http::{HttpLimits, Method, Response, StatusCode};
use endwell_core::{Arrived, Instant, Look, OutboxLimits, Wrote};

fn answers_one_request() -> Option<()> {
    let now = Instant::default();
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    let request = b"GET /hello HTTP/1.1\r\nHost: example.com\r\n\r\n";
    let Ok(arrived) = server.io().read(now, |room| {
        room[..request.len()].copy_from_slice(request);
        Ok::<_, Infallible>(Look::Bytes(request.len()))
    });
    let (Arrived::Something, Next::Request(head, exchange)) = (arrived, server.poll()) else { return None };
    if head.method() != Method::Get || head.path() != "/hello" {
        return None;
    }
    let answered = exchange.respond(&Response::new(StatusCode::OK), Bytes::from_static(b"hello"), None);
    let After::Again(mut server) = answered.next() else { return None };
    let mut is_right = false;
    let Ok(wrote) = server.io().write(now, |chunks| {
        let bytes = chunks.next().unwrap_or_default();
        is_right = bytes == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        Ok::<_, Infallible>(Some(bytes.len()))
    });
    (is_right && wrote == Wrote::Something && server.io().queued() == 0).then_some(())
}

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    i32::from(answers_one_request().is_none())
}

#[link(name = "c")]
unsafe extern "C" {
    fn _exit(status: i32) -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: takes a number and does not return.
    unsafe { _exit(101) }
}

/// core and alloc come compiled for unwinding and ask for these two; a panic never gets as far.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    // SAFETY: takes a number and does not return.
    unsafe { _exit(102) }
}

/// Hands out one arena from front to back and takes nothing back.
struct Bump {
    arena: UnsafeCell<[u8; SIZE]>,
    used: AtomicUsize,
}

const SIZE: usize = 1 << 20;

#[global_allocator]
static BUMP: Bump = Bump { arena: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(0) };

// SAFETY: `used` decides alone who has which part of the arena.
unsafe impl Sync for Bump {}

// SAFETY: parts are aligned, inside the arena and handed out once.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.arena.get().cast::<u8>();
        let mut at = 0;
        let part = |from: usize| {
            at = from.checked_add(base.wrapping_add(from).align_offset(layout.align()))?;
            at.checked_add(layout.size()).filter(|&end| end <= SIZE)
        };
        match self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, part) {
            Ok(_) => base.wrapping_add(at),
            Err(_) => core::ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
