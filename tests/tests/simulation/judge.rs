//! The laws of a WebSocket between two ends, whatever happened.

use std::collections::BTreeMap;

use endwell::Ended;
use endwell::core::ws::Ended as WsEnded;
use endwell::ws::{End, Outlet};

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
        ends.push(ended.as_ref().map_or("driver dropped".into(), name));
    }
    ends
}

/// Every task waits: what was accepted is with the transport, and nobody waits for room, unless that takes nothing now
/// or the connection closes.
pub(crate) fn nothing_is_left_lying(ledgers: &[Ledger; 2], line: &Line, served: bool) {
    for (side, ledger) in ledgers.iter().enumerate() {
        let entries = ledger.lock();
        let excused = entries.streams || line.is_blocked(side) || line.is_dropped(side) || entries.closed_now;
        let stream = behind_the_head(line, side, served);
        if excused || (stream.len() >= entries.bytes && entries.waiting == 0) {
            continue;
        }
        let closes = frames::read(stream, side == 0).is_ok_and(|written| written.close.is_some());
        let waiting = entries.waiting;
        assert!(
            closes,
            "end {side} idles: {waiting} wait, {} of {} bytes taken",
            stream.len(),
            entries.bytes
        );
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
    let closed_first =
        matches!(driver(entries), Some(Ended::WebSocket(WsEnded::Closed { first: End::Ours, .. })));
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
    matches!(driver(entries), Some(Ended::WebSocket(WsEnded::Closed { .. })))
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
    match ended {
        Ended::Protocol(_) if plan.cuts_request() => {}
        Ended::WebSocket(WsEnded::Violated(_)) | Ended::Protocol(_) => panic!("{ended}"),
        Ended::WebSocket(WsEnded::Closed { .. }) => {
            assert!(written.close.is_some(), "closed without a Close");
        }
        other => assert!(!plan.is_calm(), "{other}, and nothing was injected"),
    }
}

fn name(ended: &Ended) -> String {
    match ended {
        Ended::WebSocket(WsEnded::Closed { first, .. }) => format!("closed, first: {first:?}"),
        Ended::WebSocket(WsEnded::Exceeded(exceeded)) | Ended::Limit(exceeded) => {
            format!("limit: {:?}", exceeded.limit)
        }
        Ended::WebSocket(other) => format!("WebSocket: {other:?}"),
        Ended::Transport(error) => format!("transport: {:?}", error.kind()),
        other => format!("{other:?}"),
    }
}
