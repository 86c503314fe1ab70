//! Limits of time, on a virtual clock. A limit is met only when a read found nothing.

use core::time::Duration;
use endwell_core::http::{Connect, HttpLimits};
use endwell_core::{Limit, OutboxLimits, Pace};
use endwell_core_tests::asking::{Ask, Asking, Note};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Waits for a limit to the millisecond, and finds the deadline there.
fn meets(asking: &mut Asking, limit: Limit, time: Duration) {
    asking.silence(Duration::ZERO);
    let deadline = asking.deadline().unwrap();
    assert_eq!((deadline.reason, deadline.at), (limit, asking.now().saturating_add(time)));
    asking.silence(time.saturating_sub(MILLISECOND));
    assert!(!asking.is_over(), "too early: {:?}", asking.notes());
    asking.silence(MILLISECOND);
    assert!(asking.is_over(), "not met: {limit}");
}

fn reason(asking: &Asking) -> &str {
    match asking.notes().last() {
        Some(Note::Failed(why) | Note::BodyFailed(_, why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_response_must_begin_in_time_and_each_head_end_in_time() {
    let mut asking = Asking::new(&[Ask::get()]);
    meets(&mut asking, Limit::ResponseTime, SECOND * 60);
    assert_eq!(reason(&asking), "the response was not begun in time: the limit is 60s");
    // An interim response has the time begin again: there are few of them.
    let mut asking = Asking::new(&[Ask::get()]);
    asking.silence(Duration::ZERO);
    asking.silence(SECOND * 59);
    asking.feed(b"HTTP/1.1 103 x\r\n\r\n");
    meets(&mut asking, Limit::ResponseTime, SECOND * 60);
    for begun in [&b"H"[..], b"HTTP/1.1 103 x\r\n\r\nH", b"HTTP/1.1 200 OK\r\na: b\r\n"] {
        let mut asking = Asking::new(&[Ask::get()]);
        asking.silence(SECOND * 59);
        asking.feed(begun);
        meets(&mut asking, Limit::HeadTime, SECOND * 10);
        assert_eq!(reason(&asking), "the head was not complete in time: the limit is 10s");
    }
}

/// A tunnel that was asked for waits as any other response does, and so does whatever refuses it.
#[test]
fn the_answer_to_a_connect_has_the_same_times() {
    let ask = Ask::Tunnel(Connect::new("h:443").unwrap());
    let refusal = b"HTTP/1.1 407 x\r\nContent-Length: 9\r\n\r\n";
    for (start, limit, time) in [
        (&b""[..], Limit::ResponseTime, 60),
        (b"HTTP/1.1 103 x\r\n\r\n", Limit::ResponseTime, 60),
        (b"H", Limit::HeadTime, 10),
        (refusal, Limit::BodyProgress, 300),
    ] {
        let mut asking = Asking::new(std::slice::from_ref(&ask));
        asking.feed(start);
        asking.pause();
        asking.sleep(SECOND * 300);
        meets(&mut asking, limit, SECOND * time);
    }
}

#[test]
fn one_byte_a_second_does_not_renew_the_time_for_a_head() {
    let mut asking = Asking::new(&[Ask::get()]);
    asking.feed(b"H");
    for _ in 0..11 {
        asking.silence(SECOND);
        asking.feed(b"T");
    }
    assert!(asking.is_over(), "{:?}", asking.notes());
}

const BODIES: [&str; 3] = ["Content-Length: 100000\r\n", "", "Transfer-Encoding: chunked\r\n"];

/// Event streams and watches are endless, and silent for minutes.
#[test]
fn a_body_may_be_silent_for_5_minutes_and_go_on_for_ever() {
    for (start, data) in BODIES.into_iter().zip(["data: \n\n", "data: \n\n", "8\r\ndata: \n\n\r\n"]) {
        let mut asking = Asking::new(&[Ask::get()]);
        asking.feed(format!("HTTP/1.1 200 OK\r\n{start}\r\n").as_bytes());
        asking.silence(Duration::ZERO);
        for pause in [20, 299].repeat(100) {
            asking.feed(data.as_bytes());
            asking.silence(Duration::ZERO);
            asking.silence(SECOND * pause);
            assert!(!asking.is_over());
        }
        asking.feed(data.as_bytes());
        meets(&mut asking, Limit::BodyProgress, SECOND * 300);
        assert_eq!(reason(&asking), "the body came too slowly: the longest silence is 300s");
    }
}

/// One that has a total time ends however often a byte comes.
#[test]
fn a_total_time_can_be_set() {
    for start in BODIES {
        let mut limits = HttpLimits::default();
        limits.response_pace = Pace::silence(SECOND * 30).total(SECOND * 30, 1000);
        let mut asking = Asking::with(limits, OutboxLimits::default(), &[Ask::get()]);
        asking.feed(format!("HTTP/1.1 200 OK\r\n{start}\r\n").as_bytes());
        if start.starts_with("Transfer") {
            asking.feed(b"ffff\r\n");
        }
        asking.silence(Duration::ZERO);
        for second in 0..30 {
            assert!(!asking.is_over(), "after {second} s");
            asking.feed(b"b");
            asking.silence(SECOND);
        }
        assert!(reason(&asking).ends_with("the time for all of it is 30s and 1s for every 1000 bytes"));
    }
}

#[test]
fn an_idle_connection_ends_without_a_word() {
    for asks in [&[][..], &[Ask::get()]] {
        let mut asking = Asking::new(asks);
        if !asks.is_empty() {
            asking.feed(b"HTTP/1.1 204 x\r\n\r\n");
        }
        let before = asking.notes().len();
        meets(&mut asking, Limit::IdleTime, SECOND * 75);
        assert_eq!(asking.notes().len(), before);
    }
}

/// The server's bytes lie in the kernel: nobody has looked. That is not its fault.
#[test]
fn a_slow_application_does_not_kill_a_healthy_server() {
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    for at in [0, 1, 20, 39] {
        let mut asking = Asking::new(&[Ask::get()]);
        asking.feed(&response[..at]);
        asking.silence(Duration::ZERO);
        asking.sleep(SECOND * 300);
        asking.feed(&response[at..]);
        asking.silence(Duration::ZERO);
        assert!(asking.is_kept(), "{:?}", asking.notes());
    }
}

/// While the request is not out, or nobody wants to read, the server is not late.
#[test]
fn a_pause_is_not_the_servers_silence() {
    let body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    // What was waited before a pause within a body still counts.
    for (start, limit, time) in [(&b""[..], Limit::ResponseTime, 60), (body, Limit::BodyProgress, 296)] {
        let mut asking = Asking::new(&[Ask::get()]);
        asking.feed(start);
        asking.silence(Duration::ZERO);
        asking.silence(SECOND * 4);
        asking.pause();
        asking.sleep(SECOND * 300);
        meets(&mut asking, limit, SECOND * time);
    }
}

/// Within a head it goes on: it must be completed, whatever we do meanwhile.
#[test]
fn a_pause_does_not_renew_the_time_for_a_head() {
    let mut asking = Asking::new(&[Ask::get()]);
    asking.feed(b"H");
    for second in 0..=10 {
        assert!(!asking.is_over(), "after {second} s");
        asking.silence(if second == 0 { Duration::ZERO } else { SECOND });
        asking.pause();
    }
    assert!(asking.is_over());
}

#[test]
fn a_server_may_be_given_all_the_time() {
    let mut limits = HttpLimits::default();
    limits.response_time = None;
    let mut asking = Asking::with(limits, OutboxLimits::default(), &[Ask::get()]);
    for _ in 0..100 {
        asking.silence(SECOND * 3600);
    }
    assert_eq!((asking.deadline(), asking.is_over()), (None, false));
    assert!(asking.is_untouched());
    asking.feed(b"H");
    assert!(!asking.is_untouched());
    meets(&mut asking, Limit::HeadTime, SECOND * 10);
}
