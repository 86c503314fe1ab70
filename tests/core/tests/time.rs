//! Limits of time, on a virtual clock. A limit is met only when a read found nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::cell::Cell;
use core::time::Duration;
use endwell_core::http::server::{After, Next, ServerConnection};
use endwell_core::http::{BodyEvent, Framing, HttpLimits, Response, StatusCode};
use endwell_core::{Arrived, Deadline, Instant, Limit, OutboxLimits, Pace};
use endwell_core_tests::client;
use endwell_core_tests::connection::Connection;
use endwell_core_tests::io::{feed, look, pause, waits, written};
use endwell_core_tests::plan::{self, Plan};
use endwell_core_tests::record::{End, Record};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const POST: &[u8] = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
const CHUNKED: &[u8] = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1869f\r\n";
const NEARLY: Duration = Duration::from_millis(9_999);
const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Waits for a limit to the millisecond, and finds the deadline there.
fn meets(connection: &mut Connection, limit: Limit, time: Duration) {
    connection.look();
    let deadline = connection.deadline().unwrap();
    assert_eq!((deadline.reason, deadline.at), (limit, connection.now().saturating_add(time)));
    let before = connection.records().len();
    connection.silence(time.saturating_sub(MILLISECOND));
    assert_eq!(connection.records().len(), before, "too early: {:?}", connection.records());
    connection.silence(MILLISECOND);
    assert!(connection.records().len() > before, "not met: {limit}");
}

#[test]
fn a_silent_peer_is_closed_without_a_word() {
    let mut connection = Connection::new(plan::echo);
    meets(&mut connection, Limit::FirstByteTime, Duration::from_secs(10));
    assert_eq!((connection.queued(), connection.ended()), (0, Some(&End::Silent(Limit::FirstByteTime))));
    let mut connection = Connection::new(plan::echo);
    assert!(!connection.feed_all(GET).is_empty());
    meets(&mut connection, Limit::IdleTime, Duration::from_secs(75));
    assert_eq!((connection.queued(), connection.ended()), (0, Some(&End::Silent(Limit::IdleTime))));
}

/// While a response is still going out, no further request is waited for; but one that has begun is.
#[test]
fn the_idle_time_begins_when_the_output_is_out() {
    let ends = |second, reason| Some(Deadline { at: Instant::from_epoch(SECOND * second), reason });
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    feed(server.io(), GET);
    let Next::Request(_, exchange) = server.poll() else { panic!("a whole head") };
    let answered = exchange.respond(&Response::new(StatusCode::OK), "hello".into(), None);
    let After::Again(mut server) = answered.next() else { panic!("it is kept") };
    // In our queue, where the time for output runs.
    assert_eq!(waits(server.io(), 0), None);
    assert_eq!(waits(server.io(), 100_000), None);
    assert!(!written(server.io()).is_empty());
    // In that of the system, which is asked after an eighth of the time, and then the client has it.
    let unasked = || unreachable!("it is too early to ask");
    let asked = Cell::new(0);
    let left = |rest| {
        let asked = &asked;
        move || {
            asked.set(asked.get() + 1);
            Some(rest)
        }
    };
    let question = |second| {
        Some(Deadline { at: Instant::from_epoch(SECOND * second + SECOND * 75 / 8), reason: Limit::IdleTime })
    };
    assert_eq!(waits(server.io().unacknowledged(&unasked), 200_000), question(200));
    assert_eq!(waits(server.io().unacknowledged(&unasked), 209_374), question(200));
    assert_eq!(waits(server.io().unacknowledged(&left(5)), 210_000), question(210));
    assert_eq!(waits(server.io().unacknowledged(&unasked), 219_000), question(210));
    assert_eq!(waits(server.io().unacknowledged(&left(0)), 220_000), ends(285, Limit::IdleTime));
    assert_eq!(waits(server.io().unacknowledged(&unasked), 284_000), ends(285, Limit::IdleTime));
    assert_eq!(asked.get(), 2);
    // The application does something else, and does not wait for the client.
    pause(server.io(), 270_000);
    assert_eq!(waits(server.io(), 1_000_000), ends(1075, Limit::IdleTime));
    assert_eq!(waits(server.io(), 1_074_000), ends(1075, Limit::IdleTime));
    feed(server.io(), b"GE");
    assert_eq!(waits(server.io(), 1_100_000), ends(1110, Limit::HeadTime));
    pause(server.io(), 1_105_000);
    assert_eq!(waits(server.io().unacknowledged(&unasked), 1_109_000), ends(1110, Limit::HeadTime));
    assert_eq!(look(server.io().unacknowledged(&unasked), 1_110_000), Arrived::Something);
    let Next::Refused(refusal) = server.poll() else { panic!("it is late") };
    assert_eq!(refusal.status().as_u16(), 408);
}

/// A question costs system calls.
#[test]
fn a_client_that_goes_on_costs_no_question() {
    let unasked = || unreachable!("nothing is late");
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    for second in 0..100 {
        assert!(waits(server.io().unacknowledged(&unasked), second * 9000).is_some());
        feed(server.io(), GET);
        let Next::Request(_, exchange) = server.poll() else { panic!("a whole head") };
        let answered = exchange.respond(&Response::new(StatusCode::OK), "hello".into(), None);
        let After::Again(next) = answered.next() else { panic!("it is kept") };
        server = next;
        assert!(!written(server.io()).is_empty());
    }
}

/// Time that the application takes within a body is not the client's: what was waited before it counts.
#[test]
fn a_pause_is_not_the_clients_silence() {
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    feed(server.io(), POST);
    let Next::Request(_, mut exchange) = server.poll() else { panic!("a whole head") };
    let mut look = |second: u64| {
        let deadline = waits(exchange.io(), second * 1000).unwrap();
        assert!(exchange.body().event().is_none());
        pause(exchange.io(), (second + 4) * 1000);
        assert_eq!(deadline.reason, Limit::BodyProgress);
        deadline.at.since_epoch().as_secs()
    };
    assert_eq!([look(0), look(100), look(200)], [30, 126, 222]);
    // The time is over, and the body says so, again and again.
    assert_eq!(waits(exchange.io(), 300_000).unwrap().at.since_epoch().as_secs(), 318);
    assert_eq!(self::look(exchange.io(), 318_000), Arrived::Something);
    for _ in 0..2 {
        assert!(matches!(exchange.body().event(), Some(BodyEvent::Failed(_))));
    }
}

/// RFC 9112 2.2: old clients send an empty line behind a body. It is ignored, and so is no head that was begun.
#[test]
fn an_empty_line_between_requests_is_still_silence() {
    let mut connection = Connection::new(plan::echo);
    connection.feed_all(GET);
    connection.feed(b"\r\n");
    meets(&mut connection, Limit::IdleTime, Duration::from_secs(75));
    assert_eq!((connection.queued(), connection.ended()), (0, Some(&End::Silent(Limit::IdleTime))));
}

/// Each is one that is skipped, and together they renew nothing.
#[test]
fn empty_lines_that_trickle_in_do_not_renew_the_time() {
    for (before, limit, time) in [(&b""[..], Limit::FirstByteTime, 10), (GET, Limit::IdleTime, 75)] {
        let mut connection = Connection::new(plan::echo);
        connection.feed_all(before);
        connection.look();
        for byte in b"\r\n".repeat(8).chunks(2).flatten() {
            connection.silence(SECOND / 2);
            connection.feed(&[*byte]);
        }
        meets(&mut connection, limit, Duration::from_secs(time - 8));
        assert_eq!((connection.queued(), connection.ended()), (0, Some(&End::Silent(limit))));
    }
}

#[test]
fn a_head_that_is_begun_and_not_completed_is_told_408() {
    for before in [&b""[..], GET] {
        let mut connection = Connection::new(plan::echo);
        connection.feed_all(before);
        connection.look();
        connection.silence(NEARLY);
        connection.feed(b"GE");
        meets(&mut connection, Limit::HeadTime, Duration::from_secs(10));
        assert!(matches!(connection.records().last(), Some(Record::Refused(408, _))));
        let heard = client::read(&connection.take(usize::MAX), &[]).unwrap();
        assert!(heard.statuses() == [408] && heard.announced_close());
    }
}

#[test]
fn one_byte_a_second_does_not_renew_anything() {
    for (start, most) in [(&b""[..], 12), (POST, 32), (CHUNKED, 32)] {
        let mut connection = Connection::new(plan::echo);
        connection.feed_all(start);
        let mut seconds = 0;
        while !connection.is_lingering() {
            connection.silence(SECOND);
            connection.feed(b"G");
            seconds += 1;
            assert!(seconds <= most, "{:?}", connection.records());
        }
        let heard = client::read(&connection.take(usize::MAX), &[]).unwrap();
        assert!(heard.statuses() == [408] && heard.announced_close(), "{heard:?}");
    }
}

fn why(connection: &Connection) -> &str {
    let failed = |record| if let &Record::BodyFailed(408, ref why) = record { Some(why) } else { None };
    connection.records().iter().find_map(failed).unwrap()
}

#[test]
fn a_body_may_pause_and_then_its_silence_ends_it() {
    for start in [POST, CHUNKED] {
        let mut connection = Connection::new(|_| Plan::echo());
        connection.feed_all(start);
        connection.look();
        // An upload that pauses 15 s, and one that pauses as long as it may.
        for pause in [15_000, 29_999] {
            connection.feed(&[b'b'; 50_000 / 4]);
            connection.look();
            connection.silence(MILLISECOND * pause);
            assert_eq!(connection.records().len(), 1);
        }
        connection.feed(b"b");
        meets(&mut connection, Limit::BodyProgress, SECOND * 30);
        assert_eq!(why(&connection), "the body came too slowly: the longest silence is 30s");
    }
}

#[test]
fn a_body_that_is_slow_and_steady_is_not_cut_off() {
    let mut connection = Connection::new(plan::echo);
    connection.feed_all(POST);
    connection.look();
    for _ in 0..7 {
        connection.feed(&[b'b'; 12_500]);
        connection.silence(SECOND * 25);
        connection.take(usize::MAX);
        assert_eq!(connection.records().len(), 1);
    }
    connection.feed(&[b'b'; 12_500]);
    assert_eq!(connection.records().last(), Some(&Record::Answered(200)));
}

#[test]
fn the_time_for_a_whole_body_grows_with_what_came() {
    let mut connection = Connection::new(plan::echo);
    connection.feed_all(POST);
    connection.look();
    connection.feed(&[b'b'; 5000]);
    // 30 s, and 10 s for 5,000 bytes.
    for _ in 0..39 {
        connection.silence(SECOND);
        connection.feed(b"b");
        assert_eq!(connection.records().len(), 1);
    }
    connection.silence(SECOND);
    let expected = "the body came too slowly: the time for all of it is 30s and 1s for every 500 bytes";
    assert_eq!(why(&connection), expected);
}

#[test]
fn the_rest_of_an_unread_body_must_make_progress_too() {
    let mut connection = Connection::new(|_| Plan::full(200, b"early").unread());
    connection.feed_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");
    meets(&mut connection, Limit::BodyProgress, Duration::from_secs(30));
    assert_eq!(connection.records()[2], Record::DrainFailed);
}

#[test]
fn a_peer_that_does_not_read_is_reset() {
    let mut connection = Connection::new(|_| Plan::full(200, &b"x".repeat(100_000)));
    connection.feed(GET);
    connection.look();
    for _ in 0..5 {
        connection.take(1);
        connection.silence(Duration::ZERO);
        connection.silence(SECOND * 10);
        assert_eq!(connection.ended(), None);
    }
    connection.silence(SECOND * 10);
    assert_eq!(connection.ended(), Some(&End::Stalled), "a byte now and then is not enough");
    let mut connection = Connection::new(|_| Plan::full(200, &b"x".repeat(100_000)));
    connection.feed(GET);
    connection.look();
    connection.take(30_000);
    connection.look();
    connection.silence(SECOND * 59);
    assert_eq!(connection.ended(), None);
    connection.silence(SECOND);
    assert_eq!(connection.ended(), Some(&End::Stalled));
}

#[test]
fn lingering_ends_in_time_whether_bytes_come_or_not() {
    for noisy in [false, true] {
        let mut connection = Connection::new(plan::echo);
        connection.feed(b"BAD\r\n\r\n");
        connection.silence(SECOND * 5);
        assert!(connection.ended().is_none(), "time runs from the last byte sent");
        connection.take(usize::MAX);
        for _ in 0..19 {
            if noisy {
                connection.feed(GET);
            }
            connection.silence(Duration::from_millis(100));
            assert!(connection.ended().is_none());
        }
        connection.silence(Duration::from_millis(100));
        assert_eq!(connection.ended(), Some(&End::LingeredOut));
    }
}

/// The peer's bytes lie in the kernel: nobody has looked. That is not its fault.
#[test]
fn a_slow_application_does_not_kill_a_healthy_peer() {
    for (start, rest) in [(&b""[..], GET), (b"GE", &GET[2..]), (GET, GET), (POST, &b"b".repeat(100_000))] {
        let mut connection = Connection::new(plan::echo);
        connection.feed_all(start);
        connection.look();
        connection.sleep(SECOND * 300);
        connection.feed_all(rest);
        connection.look();
        let answered = connection.records().contains(&Record::Answered(200));
        assert!(answered && connection.ended().is_none(), "{:?}", connection.records());
    }
}

/// Nor is it late with what it had no time to send: the limits go on from what was read, and only what was waited for
/// before counts.
#[test]
fn a_slow_application_leaves_a_peer_the_time_for_the_rest() {
    for (start, rest, limit, time) in
        [(&b""[..], &GET[..9], Limit::HeadTime, 10), (POST, &[b'b'; 1024], Limit::BodyProgress, 2)]
    {
        let mut connection = Connection::new(plan::echo);
        connection.feed_all(start);
        connection.look();
        connection.sleep(SECOND * 300);
        connection.feed_all(rest);
        meets(&mut connection, limit, SECOND * time);
    }
}

/// What was silent while our answer was made is not silence between requests: that begins with the answer.
#[test]
fn a_long_answer_does_not_use_up_the_time_to_ask_again() {
    let outbox = OutboxLimits { bytes: 1000, pace: Pace::UNLIMITED, ..OutboxLimits::default() };
    let pieces = || Plan::pieces(Framing::Chunked, &[&[b'x'; 900], &[b'x'; 900]]);
    let mut connection = Connection::with(HttpLimits::default(), outbox, move |_| pieces());
    connection.feed(GET);
    // The driver has found that the client sends nothing; the answer is half written.
    connection.look();
    connection.sleep(SECOND * 300);
    assert!(client::read(&connection.take(usize::MAX), &[]).is_ok());
    connection.take(usize::MAX);
    connection.look();
    assert_eq!(connection.ended(), None);
    meets(&mut connection, Limit::IdleTime, Duration::from_secs(75));
}

/// A client that waits for the 100 is not slow: it was not asked to send.
#[test]
fn the_time_for_a_body_begins_when_the_client_may_send_it() {
    let outbox = OutboxLimits { bytes: 1000, pace: Pace::UNLIMITED, ..OutboxLimits::default() };
    let pieces = Plan::pieces(Framing::Chunked, &[&[b'x'; 900], &[b'x'; 900]]);
    let mut connection = Connection::with(HttpLimits::default(), outbox, move |request| {
        if request.path() == "/" { Plan::echo() } else { pieces.clone() }
    });
    // It comes behind another request, whose answer takes long.
    connection.feed(b"GET /long HTTP/1.1\r\nHost: h\r\n\r\n");
    connection.feed(b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n");
    connection.look();
    connection.sleep(SECOND * 300);
    connection.take(usize::MAX);
    assert!(connection.take(usize::MAX).ends_with(b"HTTP/1.1 100 Continue\r\n\r\n"));
    meets(&mut connection, Limit::BodyProgress, Duration::from_secs(30));
}

/// A limit that was met and not asked for is no longer met once bytes have come: nothing of it is left for the next wait.
#[test]
fn a_limit_that_was_met_before_a_request_came_does_not_end_the_next_wait() {
    let output = OutboxLimits { high_water: 10, ..OutboxLimits::default() };
    let mut server = ServerConnection::new(HttpLimits::default().into(), output);
    waits(server.io(), 0);
    assert_eq!(look(server.io(), 10_000), Arrived::Something);
    feed(server.io(), GET);
    let Next::Request(_, exchange) = server.poll() else { panic!("it came in time to be read") };
    let answered = exchange.respond(&Response::new(StatusCode::OK), "hello".into(), None);
    let After::Again(mut server) = answered.next() else { panic!("it is kept") };
    // Above the high water nothing is waited for.
    assert_eq!(waits(server.io(), 10_000), None);
    assert!(!written(server.io()).is_empty());
    let Next::Wait(mut server) = server.poll() else { panic!("no time has passed") };
    let at = Instant::from_epoch(SECOND * 86);
    assert_eq!(waits(server.io(), 11_000), Some(Deadline { at, reason: Limit::IdleTime }));
}
