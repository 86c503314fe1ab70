//! What applications do with a WebSocket, chosen by chance.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use endwell::Ended;
use endwell::ws::{
    Close, CloseCode, Content, Control, Delivery, Event, Flush, ForEach, Kind, Message, MessageWriter,
    Outlet, Receive, ReceiveHalf, Reply, SendHalf, SendMessage, SendTimeoutError, Socket, TrySendError,
    WhenFull, broadcast,
};

use crate::ledger::{Keep, Ledger, content, message};
use crate::wire::Line;
use crate::world::{GiveUp, Hold, World, race, until_pending};

/// One end of a connection, as its tasks see it.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) world: World,
    pub(crate) ledger: Ledger,
    pub(crate) line: Arc<Mutex<Line>>,
    pub(crate) side: usize,
    /// The largest message.
    pub(crate) largest: usize,
    /// The longest pause.
    pub(crate) pause: Duration,
    /// Whether somebody reads until nothing more comes.
    pub(crate) reads: bool,
    /// Bytes that may be accepted and not be with the transport, beside two messages.
    pub(crate) most_queued: usize,
    /// Whatever outlives the connection.
    pub(crate) kept: Arc<Mutex<Vec<SendHalf>>>,
}

/// Whatever can write.
pub(crate) trait Writer {
    fn send(&mut self, message: Message) -> SendMessage<'_>;
    fn fragments(&mut self, kind: Kind) -> MessageWriter<'_>;
    fn flush(&mut self) -> Flush<'_>;
    fn ping(&mut self, payload: &[u8]) -> bool;
}

/// Whatever can receive.
pub(crate) trait Reader {
    fn receive(&mut self) -> Receive<'_>;
    fn for_each<F: FnMut(Event<'_>, Reply<'_>) + Unpin>(&mut self, on_event: F) -> ForEach<'_, F>;
}

macro_rules! can {
    ($writer:ty, $reader:ty) => {
        impl Writer for $writer {
            fn send(&mut self, message: Message) -> SendMessage<'_> {
                self.send(message)
            }
            fn fragments(&mut self, kind: Kind) -> MessageWriter<'_> {
                self.send_pieces(kind)
            }
            fn flush(&mut self) -> Flush<'_> {
                self.flush()
            }
            fn ping(&mut self, payload: &[u8]) -> bool {
                self.ping(Control::new(payload).unwrap()).is_ok()
            }
        }
        impl Reader for $reader {
            fn receive(&mut self) -> Receive<'_> {
                self.receive()
            }
            fn for_each<F: FnMut(Event<'_>, Reply<'_>) + Unpin>(&mut self, on_event: F) -> ForEach<'_, F> {
                self.for_each(on_event)
            }
        }
    };
}

can!(Socket, Socket);
can!(SendHalf, ReceiveHalf);

/// The number of the producer that has the socket itself.
pub(crate) const DIRECT: usize = 99;

impl Party {
    fn below(&self, bound: usize) -> usize {
        self.world.random(|random| random.below(bound))
    }

    fn one_in(&self, times: usize) -> bool {
        self.world.random(|random| random.one_in(times))
    }

    fn some_time(&self) -> Duration {
        Duration::from_nanos(self.below(self.pause.as_nanos() as usize + 1) as u64)
    }

    async fn pause(&self) {
        self.world.sleep(self.some_time()).await;
    }

    fn some_len(&self) -> usize {
        let bound = if self.one_in(5) { self.largest } else { self.largest.min(70) };
        self.below(bound) + 1
    }

    fn give_up(&self) -> GiveUp {
        let bound = 1 + self.below(3);
        self.world.fault("future dropped");
        if self.one_in(2) { GiveUp::AtOnce(bound) } else { GiveUp::Woken(bound) }
    }

    /// What is accepted waits within the bounds.
    fn note(&self, id: (usize, usize), len: usize, accepted: bool, keep: Keep) {
        self.ledger.note(id, len, accepted, keep);
        let (bytes, longest) = {
            let mut entries = self.ledger.lock();
            entries.longest = entries.longest.max(len);
            (entries.bytes, entries.longest)
        };
        let queued = bytes.saturating_sub(self.line.hold().taken(self.side).len());
        let most = self.most_queued + 3 * longest;
        assert!(queued <= most, "{queued} bytes are queued, and {most} may be");
    }

    /// Sends through an outlet, in every way there is.
    pub(crate) async fn produce(self, outlet: Outlet, producer: usize, count: usize) {
        for index in 0..count {
            if self.one_in(3) {
                self.pause().await;
            }
            if !self.send_one(&outlet, (producer, index)).await {
                break;
            }
            if self.one_in(6) {
                self.flush(&outlet).await;
            }
        }
        match self.below(8) {
            0 => outlet.close(CloseCode::NORMAL),
            1 => {
                let ended = outlet.closed().await;
                self.ledger.ended("outlet", ended);
            }
            2 => {
                let _ = until_pending(outlet.closed(), self.give_up()).await;
            }
            _ => {}
        }
    }

    /// False: nothing is accepted any more.
    async fn send_one(&self, outlet: &Outlet, id: (usize, usize)) -> bool {
        let _waits = self.ledger.waits();
        let message = message(id, self.some_len());
        let len = message.len();
        let whole = |back: &Message| assert_eq!(back.len(), len, "a message comes back whole");
        let (accepted, open, keep) = match self.below(10) {
            0..=2 => match outlet.send(message).await {
                Ok(()) => (true, true, Keep::Always),
                Err(error) => {
                    whole(&error.message);
                    (false, false, Keep::Always)
                }
            },
            3 => match until_pending(outlet.send(message), self.give_up()).await {
                Some(sent) => (sent.is_ok(), sent.is_ok(), Keep::Always),
                None => (false, true, Keep::Always),
            },
            4 => match outlet.try_send(message) {
                Ok(()) => (true, true, Keep::Always),
                Err(error) => {
                    let open = matches!(error, TrySendError::Full(_));
                    whole(&error.into_message());
                    (false, open, Keep::Always)
                }
            },
            5 | 6 => {
                let (time, before) = (self.some_time(), self.world.now());
                let still = self.world.stood_still_for();
                let sent = outlet.send_timeout(message, time).await;
                let still = self.world.stood_still_for().saturating_sub(still);
                let late = self.world.now().saturating_since(before).saturating_sub(time + still);
                assert!(late < Duration::from_millis(100), "{late:?} late");
                match sent {
                    Ok(()) => (true, true, Keep::Always),
                    Err(error) => {
                        let open = matches!(error, SendTimeoutError::Timeout(_));
                        whole(&error.into_message());
                        (false, open, Keep::Always)
                    }
                }
            }
            7 => {
                let when_full = if self.one_in(8) { WhenFull::Close } else { WhenFull::DropNewest };
                self.delivered(outlet.deliver(message, when_full).now(), Keep::Always)
            }
            8 => self.delivered(outlet.deliver(message, WhenFull::DropOldest).now(), Keep::WhileThereIsRoom),
            _ => {
                let sending = broadcast(message, [(outlet, WhenFull::Wait(self.some_time()))]);
                if self.one_in(3) {
                    match until_pending(sending, self.give_up()).await {
                        Some(mut deliveries) => self.delivered(deliveries.remove(0), Keep::Always),
                        None => (false, true, Keep::Always),
                    }
                } else {
                    self.delivered(sending.await.remove(0), Keep::Always)
                }
            }
        };
        self.note(id, len, accepted, keep);
        open
    }

    fn delivered(&self, delivery: Delivery, keep: Keep) -> (bool, bool, Keep) {
        match delivery {
            Delivery::Accepted | Delivery::Lagged(_) => (true, true, keep),
            Delivery::Dropped => {
                self.ledger.lock().dropped += 1;
                (false, true, keep)
            }
            Delivery::Closed => {
                self.ledger.lock().closed_now = true;
                (false, false, keep)
            }
            Delivery::Ended(_) => (false, false, keep),
        }
    }

    async fn flush(&self, outlet: &Outlet) {
        let before =
            self.ledger.lock().accepted.iter().map(|(id, _)| *id).filter(|id| id.0 != DIRECT).collect();
        let _waits = self.ledger.waits();
        let flushed = if self.one_in(3) {
            until_pending(outlet.flush(), self.give_up()).await
        } else {
            Some(outlet.flush().await)
        };
        if let Some(Ok(())) = flushed {
            let taken = self.line.hold().taken(self.side).len();
            self.ledger.lock().flushes.push((before, taken));
        }
    }

    /// Does something with the right to write. False: nothing can be written any more.
    async fn write(&self, writer: &mut impl Writer, index: usize) -> bool {
        let (id, len) = ((DIRECT, index), self.some_len());
        match self.below(6) {
            0 | 1 => {
                let _waits = self.ledger.waits();
                let sent = writer.send(message(id, len)).await;
                self.note(id, len, sent.is_ok(), Keep::Always);
                sent.is_ok()
            }
            2 => {
                let sent = until_pending(writer.send(message(id, len)), self.give_up()).await;
                let accepted = matches!(sent, Some(Ok(())));
                self.note(id, len, accepted, Keep::Always);
                sent.is_none() || accepted
            }
            3 => self.write_fragments(writer, id, len).await,
            4 => {
                writer.ping(&content(id, 12));
                true
            }
            _ => {
                let accepted = self.ledger.lock().accepted.clone();
                let before = accepted.iter().filter(|(id, _)| id.0 == DIRECT).map(|(id, _)| *id).collect();
                let _waits = self.ledger.waits();
                let flushed = writer.flush().await;
                if flushed.is_ok() {
                    let line = self.line.hold();
                    let (taken, held) = (line.taken(self.side).len(), line.held(self.side));
                    drop(line);
                    assert_eq!(held, 0, "flushed, and a layer still holds something back");
                    self.ledger.lock().flushes.push((before, taken));
                }
                flushed.is_ok()
            }
        }
    }

    async fn write_fragments(&self, writer: &mut impl Writer, id: (usize, usize), len: usize) -> bool {
        let whole = content(id, len);
        {
            let mut entries = self.ledger.lock();
            entries.streams = true;
            entries.longest = entries.longest.max(len);
        }
        let mut fragments = writer.fragments(if self.one_in(2) { Kind::Text } else { Kind::Binary });
        let pieces = self.world.random(|random| {
            let longest = 1 + whole.len() / 3;
            let pieces = endwell_core_tests::cutter::at_random(&whole, longest, random);
            pieces.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
        });
        for piece in pieces {
            loop {
                let written = if self.one_in(4) {
                    until_pending(fragments.write(piece.clone()), self.give_up()).await
                } else {
                    Some(fragments.write(piece.clone()).await)
                };
                match written {
                    // Nothing of it was sent: again.
                    None => {}
                    Some(Ok(())) => break,
                    Some(Err(_)) => {
                        self.note(id, len, false, Keep::Always);
                        return false;
                    }
                }
            }
            if self.one_in(5) {
                self.pause().await;
            }
            if self.one_in(60) {
                self.ledger.lock().abandoned = true;
                self.note(id, len, false, Keep::Always);
                self.world.fault("message left unfinished");
                return false;
            }
        }
        let finished = fragments.finish().await.is_ok();
        self.ledger.lock().streams = false;
        self.note(id, len, finished, Keep::Always);
        finished
    }

    /// False: nothing more will come.
    async fn read(&self, reader: &mut impl Reader) -> bool {
        let received = if self.one_in(4) {
            until_pending(reader.receive(), self.give_up()).await
        } else if self.reads {
            Some(reader.receive().await)
        } else {
            race(reader.receive(), self.pause()).await.ok()
        };
        match received {
            None => true,
            Some(None) => false,
            Some(Some(message)) => {
                match message.content() {
                    Content::Text(_) | Content::Binary(_) => {
                        self.ledger.lock().received.push(message.into_bytes().to_vec());
                    }
                    Content::Close(_) => self.ledger.lock().saw_close = true,
                    Content::Ping(_) | Content::Pong(_) => {}
                }
                true
            }
        }
    }

    /// Hands events to a closure for a while, or until nothing more comes: then false.
    async fn lend(&self, reader: &mut impl Reader) -> bool {
        let ledger = self.ledger.clone();
        let lent = reader.for_each(move |event, _| match event {
            Event::Text(text) => ledger.lock().received.push(text.as_bytes().to_vec()),
            Event::Binary(data) => ledger.lock().received.push(data.to_vec()),
            Event::Close(_) => ledger.lock().saw_close = true,
            Event::Ping(_) | Event::Pong(_) | Event::Failed(_) => {}
        });
        if self.one_in(2) {
            lent.await;
            return false;
        }
        until_pending(lent, self.give_up()).await.is_none()
    }

    /// Everything that comes, until nothing more does.
    async fn read_all(&self, reader: &mut impl Reader) {
        loop {
            let more = if self.one_in(10) { self.lend(reader).await } else { self.read(reader).await };
            if !more {
                return;
            }
            if self.one_in(12) {
                self.pause().await;
            }
        }
    }

    /// The whole socket in one task.
    pub(crate) async fn use_whole(self, mut socket: Socket) -> Ended {
        self.ledger.lock().keeps = true;
        if self.reads {
            self.read_all(&mut socket).await;
        } else {
            for index in 0..self.below(12) {
                let open = if self.one_in(2) {
                    self.read(&mut socket).await
                } else {
                    self.write(&mut socket, index).await
                };
                if !open {
                    break;
                }
            }
        }
        self.close(socket).await
    }

    async fn close(&self, socket: Socket) -> Ended {
        self.ledger.lock().keeps = false;
        let outlet = socket.outlet();
        if self.one_in(4) {
            drop(socket);
        } else {
            let close = if self.one_in(2) { Close::EMPTY } else { CloseCode::NORMAL.into() };
            let closing = socket.close(close);
            if self.one_in(4) {
                drop(closing);
            } else {
                return closing.await;
            }
        }
        outlet.closed().await
    }

    /// The right to write, in a task of its own.
    pub(crate) async fn use_send_half(self, mut half: SendHalf) {
        let outlet = half.outlet();
        let count = 1 + self.below(10);
        for index in 0..count {
            if self.one_in(3) {
                self.pause().await;
            }
            if !self.write(&mut half, index).await {
                break;
            }
        }
        match self.below(4) {
            0 => drop(half),
            1 | 2 => self.ledger.ended("send half", half.close(CloseCode::NORMAL).await),
            // The other side closes, or an outlet does.
            _ => {
                if race(outlet.closed(), self.world.sleep(self.pause * 20)).await.is_ok() {
                    self.kept.hold().push(half);
                }
            }
        }
    }

    /// The receiving side, in a task of its own. How the connection ended, if it was waited for.
    pub(crate) async fn use_receive_half(self, mut half: ReceiveHalf) -> Option<Ended> {
        self.ledger.lock().keeps = true;
        if self.one_in(5) {
            for _ in 0..self.below(4) {
                if !self.read(&mut half).await {
                    break;
                }
            }
            self.world.fault("receiving half dropped");
            self.ledger.lock().keeps = false;
            drop(half);
            return None;
        }
        self.read_all(&mut half).await;
        self.ledger.lock().keeps = false;
        Some(half.closed().await)
    }
}
