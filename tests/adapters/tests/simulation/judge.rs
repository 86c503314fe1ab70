//! The laws of a WebSocket between two ends, whatever happened.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use endwell::core::Limit;
use endwell::ws::Outcome;
use endwell::ws::{Close, End, Outlet};
use endwell::{Ended, EndedKind};

use crate::frames::{self, Written};
use crate::ledger::{Entries, Id, Keep, Ledger, id};
use crate::web_socket::{Plan, behind_the_head};
use crate::wire::Line;

/// Judges a run, and says how each end saw it end.
pub(crate) fn judge(
    plan: &Plan,
    ledgers: &[Ledger; 2],
    line: &Line,
    outlets: &[(usize, Outlet)],
    served: bool,
) -> Vec<String> {
    let mut ends = Vec::new();
    for side in 0..2 {
        assert!(line.is_dropped(side), "end {side} still has its transport");
        let entries = ledgers[side].lock();
        let stream = behind_the_head(line, side, served);
        let before = line.taken(side).len() - stream.len();
        let written = frames::read(stream, side == 0).unwrap_or_else(|error| panic!("end {side}: {error}"));
        let other = ledgers[1 - side].lock();
        received_is_what_was_written(&written, &other);
        let mut outlet = outlets.iter().filter(|(whose, _)| *whose == side).map(|(_, outlet)| outlet);
        if let Some(outlet) = outlet.next() {
            let unsent: Vec<Id> = outlet.unsent().into_iter().map(|back| id(&back.into_bytes())).collect();
            assert!(outlet.unsent().is_empty(), "given back twice");
            accepted_is_written_or_given_back(&entries, &written, &unsent, outlet.lagged());
            flushed_is_with_the_transport(&entries, &written, before);
        }
        let ended = one_end(&entries);
        fits(plan, &entries, &written, ended.as_ref());
        let peers = behind_the_head(line, 1 - side, served);
        let peer = frames::read(peers, side == 1).unwrap_or_else(|error| panic!("end {}: {error}", 1 - side));
        pongs_are_answers(&written, &peer);
        if let Some(ended) = &ended {
            fits_the_line(plan, line, side, ended);
            if written.close.is_some() {
                closes_in_time(plan, line, side);
            }
            closes_are_told(ended, &written, &peer);
        }
        ends.push(ended.as_ref().map_or("driver dropped".into(), name));
    }
    ends
}

/// Every task waits: what was accepted is with the transport, and nobody waits for room, unless that takes nothing now
/// or the connection closes or has ended. An application that sleeps meanwhile has not given its rights back then.
pub(crate) fn nothing_is_left_lying(
    ledgers: &[Ledger; 2],
    line: &Line,
    outlets: &[(usize, Outlet)],
    served: bool,
) {
    for (side, ledger) in ledgers.iter().enumerate() {
        let entries = ledger.lock();
        let excused = entries.streams || line.is_blocked(side) || line.is_dropped(side) || entries.closed_now;
        let stream = behind_the_head(line, side, served);
        if excused || (stream.len() >= entries.bytes && entries.waiting == 0) {
            continue;
        }
        let closes = frames::read(stream, side == 0).is_ok_and(|written| written.close.is_some());
        let (waiting, bytes) = (entries.waiting, entries.bytes);
        drop(entries);
        let has_ended = outlets.iter().any(|(whose, outlet)| *whose == side && is_over(outlet));
        assert!(
            closes || has_ended,
            "end {side} idles: {waiting} wait, {} of {} bytes taken",
            stream.len(),
            bytes
        );
    }
}

fn is_over(outlet: &Outlet) -> bool {
    pin!(outlet.closed()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// What nobody has asked for stays with the peer, beyond the bounds of what is held.
pub(crate) fn nothing_is_read_too_early(ledgers: &[Ledger; 2], line: &Line, served: bool, most: [usize; 2]) {
    for side in 0..2 {
        let entries = ledgers[side].lock();
        if !entries.keeps {
            continue;
        }
        let bound = most[side] + 2 * ledgers[1 - side].lock().longest;
        let stream = behind_the_head(line, 1 - side, served);
        let read = line.read(1 - side).saturating_sub(line.taken(1 - side).len() - stream.len());
        let handed: usize = entries.received.iter().map(Vec::len).sum();
        if read <= handed + bound {
            continue;
        }
        // Frames that are no message are counted exactly only when it matters.
        let written = frames::read(stream, side == 1).unwrap_or_default();
        let own = frames::read(behind_the_head(line, side, served), side == 0).unwrap_or_default();
        if own.close.is_some() || line.is_blocked(side) {
            // What comes is thrown away once a Close is written. Where nothing is taken that may be, and not show.
            continue;
        }
        let end = written.messages.get(entries.received.len()).map_or(stream.len(), |(_, end)| *end);
        assert!(read <= end + bound, "end {side} has read {read} bytes, and needed {end}");
    }
}

/// Every message whole and in order; all that came before the Close, if that was seen.
fn received_is_what_was_written(written: &Written, received: &Entries) {
    let sent: Vec<&Vec<u8>> = written.messages.iter().map(|(message, _)| message).collect();
    assert!(received.received.len() <= sent.len(), "more was received than was written");
    for (received, sent) in received.received.iter().zip(&sent) {
        assert_eq!(id(received), id(sent), "out of order, lost or doubled");
        assert_eq!(&received, sent, "altered");
    }
    if received.saw_close {
        assert_eq!(received.received.len(), sent.len(), "lost before the Close");
        assert!(written.close.is_some(), "a Close that nobody wrote");
    }
}

/// Each Pong answers a Ping, in order.
fn pongs_are_answers(written: &Written, peer: &Written) {
    let mut pings = peer.pings.iter();
    for pong in &written.pongs {
        assert!(pings.any(|ping| ping == pong), "a Pong {pong:?} to no Ping of {:?}", peer.pings);
    }
}

/// Both Closes are told as they were written, and what was pinged last before the peer's was answered if that was first.
fn closes_are_told(ended: &Ended, written: &Written, peer: &Written) {
    let EndedKind::WebSocket(Outcome::Closed { first, sent, received }) = ended.kind() else { return };
    let payload = |close: &Close| {
        let code = close.code().map(|code| code.number().to_be_bytes());
        [code.as_ref().map_or(&[][..], |code| code), close.reason().as_bytes()].concat()
    };
    assert_eq!(written.close, Some(payload(sent)), "our Close is told as {sent}");
    assert_eq!(peer.close, Some(payload(received)), "the peer's Close is told as {received}");
    if *first == End::Theirs {
        assert_eq!(written.pongs.last(), peer.pings.last(), "a Ping before the Close was not answered");
    }
}

/// Nothing is lost silently, doubled or made up; each producer's messages are in order.
fn accepted_is_written_or_given_back(entries: &Entries, written: &Written, unsent: &[Id], lagged: u64) {
    let on_wire: Vec<Id> = written.messages.iter().map(|(message, _)| id(message)).collect();
    let mut last = BTreeMap::new();
    for (producer, index) in &on_wire {
        let before = last.insert(*producer, *index);
        assert!(before.is_none_or(|before| before < *index), "producer {producer}: {before:?}, then {index}");
    }
    let mut missing = 0;
    for (id, keep) in &entries.accepted {
        let times = on_wire.iter().chain(unsent).filter(|found| *found == id).count();
        assert!(times <= 1, "{id:?} is there {times} times");
        match keep {
            _ if times == 1 => {}
            Keep::WhileThereIsRoom => missing += 1,
            Keep::Always => {
                assert!(!is_clean(entries), "{id:?} was accepted and is lost: {:?}", entries.ends);
            }
        }
    }
    for id in &entries.refused {
        assert!(!on_wire.contains(id) && !unsent.contains(id), "{id:?} was not accepted and is there");
    }
    if is_clean(entries) {
        assert_eq!(lagged, entries.dropped + missing, "dropped: {}, missing: {missing}", entries.dropped);
    } else {
        assert!(lagged >= entries.dropped && lagged <= entries.dropped + missing);
    }
    let closed_first = matches!(
        driver(entries).map(Ended::kind),
        Some(EndedKind::WebSocket(Outcome::Closed { first: End::Ours, .. }))
    );
    if closed_first && !entries.closed_now && !entries.abandoned {
        assert!(unsent.is_empty(), "accepted before our Close and not sent: {unsent:?}");
    }
}

fn flushed_is_with_the_transport(entries: &Entries, written: &Written, before: usize) {
    for (ids, taken) in &entries.flushes {
        for flushed in ids {
            let accepted = entries.accepted.iter().find(|(id, _)| id == flushed);
            let Some((_, Keep::Always)) = accepted else { continue };
            let end = written.messages.iter().find(|(message, _)| id(message) == *flushed);
            let Some((_, end)) = end else { panic!("{flushed:?} was flushed and never written") };
            assert!(end + before <= *taken, "{flushed:?} ends at {end}, flushed at {taken}");
        }
    }
}

fn driver(entries: &Entries) -> Option<&Ended> {
    entries.ends.iter().find(|(who, _)| *who == "driver").map(|(_, ended)| ended)
}

fn is_clean(entries: &Entries) -> bool {
    matches!(driver(entries).map(Ended::kind), Some(EndedKind::WebSocket(Outcome::Closed { .. })))
}

/// All who were told were told the same.
fn one_end(entries: &Entries) -> Option<Ended> {
    let told: Vec<String> = entries.ends.iter().map(|(_, ended)| format!("{ended:?}")).collect();
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{:?}", entries.ends);
    driver(entries).cloned()
}

/// The end fits what was injected, and nobody blames the other for what none of them did.
fn fits(plan: &Plan, entries: &Entries, written: &Written, ended: Option<&Ended>) {
    let Some(ended) = ended else {
        assert!(entries.undriven || !plan.is_calm());
        return;
    };
    match ended.kind() {
        EndedKind::Protocol(_) if plan.cuts_request() => {}
        EndedKind::WebSocket(Outcome::Violated(_)) | EndedKind::Protocol(_) => panic!("{ended}"),
        EndedKind::WebSocket(Outcome::Closed { .. }) => {
            assert!(written.close.is_some(), "closed without a Close");
        }
        other => assert!(!plan.is_calm(), "{other}, and nothing was injected"),
    }
}

/// The end fits what the line has seen: limits are met when they are, and no earlier, and the server ends the stream.
fn fits_the_line(plan: &Plan, line: &Line, side: usize, ended: &Ended) {
    match limit(ended) {
        Some(Limit::WriteProgress) => {
            // Behind a standstill a layer may move much before anybody is polled.
            let slow = line.was_slow(side) || plan.manners.still.is_some();
            assert!(slow, "{ended}, and enough was taken");
        }
        Some(Limit::PongTime) => {
            // What lay unread when it came back is a sign of life, and whoever has looked at it waits anew.
            let lived = line.lived_on(side);
            assert!(
                lived.is_none_or(|lived| lived >= PONG_TIME),
                "{ended}, {lived:?} after bytes lay unread"
            );
        }
        _ => {}
    }
    // RFC 6455 7.1.1: the server ends the stream, and then the client goes.
    let is_clean = matches!(ended.kind(), EndedKind::WebSocket(Outcome::Closed { .. }));
    if is_clean && plan.is_calm() {
        assert_eq!(line.ended_writing(side), side == 1, "end {side} has ended its stream");
    }
}

/// Once its Close is with the transport, and no layer holds it back, an end goes within its limits: twice the time for the peer's Close, whatever comes
/// meanwhile, and the same for the end of the stream.
fn closes_in_time(plan: &Plan, line: &Line, side: usize) {
    let still = plan.manners.still.map_or(Duration::ZERO, |still| still.time);
    let (time, bound) = line.after_the_last(side, 4 * CLOSE_TIME + still + MOMENT);
    assert!(time <= bound, "end {side} closed for {time:?}");
}

fn limit(ended: &Ended) -> Option<Limit> {
    match ended.kind() {
        EndedKind::WebSocket(Outcome::Exceeded(exceeded)) | EndedKind::Limit(exceeded) => {
            Some(exceeded.limit)
        }
        _ => None,
    }
}

const PONG_TIME: Duration = Duration::from_secs(20);
const CLOSE_TIME: Duration = Duration::from_secs(5);
/// In which whoever is woken is polled.
const MOMENT: Duration = Duration::from_secs(1);

fn name(ended: &Ended) -> String {
    match ended.kind() {
        EndedKind::WebSocket(Outcome::Closed { first, .. }) => format!("closed, first: {first:?}"),
        EndedKind::WebSocket(Outcome::Exceeded(exceeded)) | EndedKind::Limit(exceeded) => {
            format!("limit: {:?}", exceeded.limit)
        }
        EndedKind::WebSocket(other) => format!("WebSocket: {other:?}"),
        EndedKind::Transport(error) => format!("transport: {:?}", error.kind()),
        EndedKind::Protocol(_) => "cut within the request".to_owned(),
        other => format!("{other:?}"),
    }
}
