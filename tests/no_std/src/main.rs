//! The proof that endwell-core needs no std: `cargo run` builds it, and exits 0 if one answer is right.
//!
//! That std is absent from the whole link is certain, because this program defines what std defines: the panic
//! handler (a second one is a duplicate lang item, an error wherever in the graph std is linked), and the symbol
//! `rust_eh_personality`. Nor is there an allocator but the one below. The target has a std, so nothing
//! but these definitions keeps it out; libc gives `_start`, `memcpy` and `_exit`.
#![no_std]
#![no_main]

use bytes::{Buf, Bytes};
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};
use endwell_core::http::server::{After, Next, Server};
use endwell_core::http::{Head, Limits, Method, StatusCode};
use endwell_core::{Outbox, Step};

fn answers_one_request() -> Option<()> {
    let mut out = Outbox::default();
    let mut server = Server::new(Limits::default().into());
    server.inbox().feed(b"GET /hello HTTP/1.1\r\nHost: example.com\r\n\r\n");
    let Ok(Step::Done(Next::Exchange(mut exchange))) = server.poll() else { return None };
    if exchange.head.method() != Method::Get || exchange.head.path() != "/hello" {
        return None;
    }
    let (head, body) = (Head::new(StatusCode::OK), Bytes::from_static(b"hello"));
    let sent = exchange.send.respond(&head, body, None, &mut exchange.recv, &mut out);
    let bytes = out.copy_to_bytes(out.len());
    let After::Again(_) = exchange.recv.after(sent) else { return None };
    (bytes == "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").then_some(())
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
