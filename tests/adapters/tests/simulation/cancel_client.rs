//! The same for the futures of a client. What is dropped while it waits is begun again, and the exchange and the next one
//! are whole; or it is not, and the connection closes where it is.

use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use endwell::client::{Connection, Origin, RequestError, ResponseReader};
use endwell::http::{Field, Framing, Interim, Method, Request, StatusCode};
use endwell::ws::{CloseCode, Content};
use endwell::{
    Answered, Bytes, ClientConfig, Connector, Ended, EndedKind, Exchange, Info, Runtime, ServerConfig, ws,
};

use crate::aborted::aborted;
use crate::cancel::{at_every_wait, bytes};
use crate::handler::serve_one;
use crate::ledger::content;
use crate::wire::{WireEnd, wire};
use crate::world::{Alarm, GiveUp, Hold, Manners, World, race};

/// What is dropped while it waits.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Waiting {
    Interim,
    Response,
    Read,
    ReadAll,
    Finish,
    Withheld,
    Write,
    Ready,
    Flush,
    Closed,
    Upgrade,
    Connect,
    Driver,
}

/// What becomes of whatever was waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    /// It is waited for again.
    Again,
    /// It is dropped too, with all that there is.
    Leave,
}

/// Counts the times at which the chosen future is pending, over all of its kind in a run.
struct Giving {
    what: Waiting,
    left: usize,
    woken: bool,
    given_up: bool,
}

impl Giving {
    fn new(what: Waiting, when: GiveUp) -> Self {
        let (GiveUp::AtOnce(left) | GiveUp::Woken(left)) = when;
        Self { what, left, woken: matches!(when, GiveUp::Woken(_)), given_up: false }
    }

    /// `None`: it was given up, and dropped.
    async fn first<F: Future>(&mut self, what: Waiting, future: F) -> Option<F::Output> {
        if self.what != what || self.given_up {
            return Some(future.await);
        }
        let mut future = pin!(future);
        let mut is_pending = false;
        std::future::poll_fn(|cx| {
            if !(is_pending && self.left == 0) {
                if let Poll::Ready(output) = future.as_mut().poll(cx) {
                    return Poll::Ready(Some(output));
                }
                is_pending = true;
                self.left = self.left.saturating_sub(1);
                if self.woken || self.left > 0 {
                    return Poll::Pending;
                }
            }
            self.given_up = true;
            Poll::Ready(None)
        })
        .await
    }
}

/// Awaits a future; if it was given up and is not left for good, makes it again.
macro_rules! again {
    ($run:expr, $what:ident, $future:expr) => {
        match $run.giving.first(Waiting::$what, $future).await {
            Some(output) => output,
            None if $run.then == Then::Leave => return None,
            None => $future.await,
        }
    };
}

/// The client's task.
struct Run {
    giving: Giving,
    then: Then,
}

/// Bytes of a request.
const REQUEST: usize = 2000;

fn request_body(index: usize) -> Vec<u8> {
    content((index, 0), REQUEST)
}

fn response_body(index: usize) -> Vec<u8> {
    content((index, 1), 700)
}

impl Run {
    /// One exchange, whole in both directions.
    async fn exchange(&mut self, connection: Connection, index: usize) -> Option<Connection> {
        let head = Request::new(Method::Post, "h", &format!("/{index}")).unwrap();
        let data = request_body(index);
        let framing = Framing::Length(data.len() as u64);
        let (body, mut response) = if self.giving.what == Waiting::Withheld {
            let (mut withheld, response) = connection.request_expecting(&head, framing);
            (again!(self, Withheld, &mut withheld).unwrap(), response)
        } else {
            let (body, response) = connection.request(&head, framing);
            (body, response)
        };
        self.write(body, &data).await?;
        // Whoever waits for the hints has waited for all that comes before the final head.
        if self.giving.what != Waiting::Response {
            let mut hints = Vec::new();
            while let Some(interim) = again!(self, Interim, response.interim()) {
                hints.push(interim.status());
            }
            assert_eq!(hints, [103, 103]);
        }
        let mut received = again!(self, Response, &mut response).unwrap();
        assert_eq!(received.status(), StatusCode::OK);
        self.read(&mut received, &response_body(index)).await?;
        let mut finish = received.finish();
        Some(again!(self, Finish, &mut finish).expect("the connection, to be used again"))
    }

    async fn write(&mut self, mut body: endwell::client::RequestWriter, data: &[u8]) -> Option<()> {
        if self.giving.what == Waiting::Write {
            for piece in data.chunks(1000) {
                let mut rest = Bytes::copy_from_slice(piece);
                while !rest.is_empty() {
                    let mut write = body.write(rest);
                    let done = self.giving.first(Waiting::Write, &mut write).await;
                    if done.is_none() && self.then == Then::Leave {
                        return None;
                    }
                    done.unwrap_or(Ok(())).unwrap();
                    rest = write.into_rest();
                }
            }
        } else {
            for piece in data.chunks(500) {
                again!(self, Ready, body.ready()).unwrap();
                body.write(piece.to_vec()).await.unwrap();
                if self.giving.what == Waiting::Flush {
                    again!(self, Flush, body.flush()).unwrap();
                }
            }
        }
        body.finish().unwrap();
        Some(())
    }

    async fn read(&mut self, received: &mut ResponseReader, expected: &[u8]) -> Option<()> {
        match self.giving.what {
            // What is not read is thrown away.
            Waiting::Finish => {}
            Waiting::ReadAll => {
                // What was read so far is lost with the future; the rest comes.
                let rest = again!(self, ReadAll, received.read_all(1000)).unwrap();
                assert!(expected.ends_with(&rest) && (self.giving.given_up || rest.len() == expected.len()));
            }
            _ => {
                let mut whole = Vec::new();
                while let Some(piece) = again!(self, Read, received.read()).unwrap() {
                    whole.extend(piece);
                }
                assert_eq!(whole, expected);
            }
        }
        Some(())
    }

    /// Two exchanges, or what else there is to wait for. `None`: left in the middle.
    async fn all(&mut self, world: World, end: WireEnd, ends: Ends) -> Option<()> {
        let mut connection = if self.giving.what == Waiting::Connect {
            let dial = Dial { world, end: Mutex::new(Some(end)), ends };
            let (origin, config) = (Origin::http("h", 80), config());
            // What was given up is gone, with the wire that it had.
            self.giving.first(Waiting::Connect, Connection::connect(&dial, &origin, &config)).await?.unwrap()
        } else {
            let (connection, driver) = Connection::over(end, world.clone(), &config());
            note(&world, "driver", driver, ends);
            connection
        };
        if self.giving.what == Waiting::Upgrade {
            let offer = connection.offer("h", "/ws").unwrap();
            let mut upgrade = connection.upgrade(offer);
            let mut socket = again!(self, Upgrade, &mut upgrade).unwrap().socket;
            socket.send("hello").await.unwrap();
            assert!(matches!(socket.receive().await.unwrap().content(), Content::Text("hello")));
            let ended = socket.close(CloseCode::NORMAL).await;
            assert!(matches!(ended.kind(), EndedKind::WebSocket(ws::Outcome::Closed { .. })), "{ended}");
            return Some(());
        }
        if self.giving.what == Waiting::Closed {
            let time = World::current().sleep(Duration::from_secs(1));
            match race(self.giving.first(Waiting::Closed, connection.closed()), time).await {
                Ok(Some(ended)) => panic!("{ended}"),
                Ok(None) if self.then == Then::Leave => return None,
                Ok(None) | Err(()) => {}
            }
        }
        for index in 0..2 {
            connection = self.exchange(connection, index).await?;
        }
        Some(())
    }
}

type Ends = Arc<Mutex<Vec<Ended>>>;

fn config() -> ClientConfig {
    let mut config = ClientConfig::default();
    config.output.bytes = 4096;
    config.output.high_water = 400;
    config.http.received_bytes = 200;
    config.http.continue_time = Duration::from_secs(1000);
    config
}

/// Makes the one connection of a world, in a while.
struct Dial {
    world: World,
    end: Mutex<Option<WireEnd>>,
    ends: Ends,
}

impl Connector for Dial {
    type Transport = WireEnd;
    type Runtime = Drivers;

    async fn connect(&self, _: &Origin) -> io::Result<(WireEnd, Info)> {
        let end = self.end.hold().take().expect("one connection");
        for _ in 0..3 {
            self.world.sleep(Duration::from_millis(1)).await;
        }
        Ok((end, Info::default()))
    }

    fn runtime(&self) -> Drivers {
        Drivers { world: self.world.clone(), ends: Arc::clone(&self.ends) }
    }
}

/// A world in which the end of each task is noted.
#[derive(Clone)]
struct Drivers {
    world: World,
    ends: Ends,
}

impl Runtime for Drivers {
    type Timer = Alarm;

    fn timer(&self) -> Alarm {
        self.world.timer()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let ends = Arc::clone(&self.ends);
        self.world.spawn("driver", async move {
            task.await;
            ends.hold().push(aborted());
        });
        Ok(())
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.world.sleep(duration)
    }
}

/// Hints twice, takes the whole body and answers. Notes each request that it has whole.
async fn handle(mut exchange: Exchange, whole: Arc<Mutex<Vec<usize>>>) -> Result<Answered, Ended> {
    if exchange.path() == "/ws" {
        let acceptance = exchange.acceptance();
        let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
        while let Some(message) = socket.receive().await {
            if message.is_data() {
                socket.send(message).await?;
            }
        }
        return Err(socket.close(CloseCode::NORMAL).await);
    }
    let index = exchange.path().trim_start_matches('/').parse().unwrap();
    for _ in 0..2 {
        exchange.interim(&Interim::early_hints().with(Field::from_static("link", "</a.css>")));
    }
    let body = exchange.read_all(1 << 16).await?;
    assert_eq!(body, request_body(index));
    whole.hold().push(index);
    let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
    for piece in response_body(index).chunks(250) {
        response.write(piece.to_vec()).await?;
    }
    response.finish()
}

/// Runs what drives a connection, and notes how that ended.
fn note(world: &World, name: &str, driver: impl Future<Output = Ended> + Send + 'static, ends: Ends) {
    world.spawn(name, async move {
        let ended = driver.await;
        ends.hold().push(ended);
    });
}

/// A server's connection at `end`. How it ends, and which requests it had whole.
fn serve(world: &World, end: WireEnd) -> (Ends, Arc<Mutex<Vec<usize>>>) {
    let (ends, whole) = (Ends::default(), Arc::<Mutex<Vec<usize>>>::default());
    let (ending, noting) = (Arc::clone(&ends), Arc::clone(&whole));
    let handler = move |exchange: Exchange| handle(exchange, Arc::clone(&noting));
    let running = serve_one(world, end, ServerConfig::default(), handler);
    note(world, "server", running, ending);
    (ends, whole)
}

fn world() -> World {
    World::new(1, Manners { spurious: Some(3), ..Manners::default() })
}

/// True: it was given up.
fn run(what: Waiting, then: Then, when: GiveUp) -> bool {
    let world = world();
    let (line, one, other) = wire(&world, bytes(60));
    let (server_ends, whole) = serve(&world, other);
    let (ends, done) = (Ends::default(), Arc::<Mutex<Option<(bool, bool)>>>::default());
    let (ending, noting, sharing) = (Arc::clone(&ends), Arc::clone(&done), world.clone());
    world.spawn("client", async move {
        let mut run = Run { giving: Giving::new(what, when), then };
        let is_done = run.all(sharing, one, ending).await.is_some();
        *noting.hold() = Some((run.giving.given_up, is_done));
    });
    world.run();
    let case = format!("{what:?} {then:?} {when:?}");
    assert!((0..2).all(|side| line.hold().is_dropped(side)), "{case}");
    assert_eq!(world.kept_wakers(), Vec::<String>::new(), "{case}");
    let (given_up, is_done) = done.hold().take().unwrap();
    assert_eq!(is_done, !given_up || (then == Then::Again && what != Waiting::Connect), "{case}");
    assert_eq!(server_ends.hold().len(), 1, "{case}");
    let ends = ends.hold();
    let kinds: Vec<_> = ends.iter().map(Ended::kind).collect();
    let is_expected = match (what, given_up) {
        // There was no connection.
        (Waiting::Connect, true) => ends.is_empty(),
        (Waiting::Upgrade, _) if is_done => matches!(kinds[..], [EndedKind::WebSocket(_)]),
        _ => matches!(kinds[..], [EndedKind::GivenUp | EndedKind::Aborted]),
    };
    assert!(is_expected, "{case}: {ends:?}");
    let whole = whole.hold();
    if is_done && what != Waiting::Upgrade {
        assert_eq!(*whole, [0, 1], "{case}");
    } else {
        // No further request was sent over a connection that was left in the middle.
        assert!([0, 1].starts_with(&whole), "{case}: {whole:?}");
        let taken = line.hold().taken(0).to_vec();
        let requests = taken.windows(5).filter(|window| window == b"POST ").count();
        assert!(requests <= 2 && requests <= whole.len() + 1, "{case}: {requests}, {whole:?}");
    }
    given_up
}

const AGAIN: [Waiting; 12] = [
    Waiting::Interim,
    Waiting::Response,
    Waiting::Read,
    Waiting::ReadAll,
    Waiting::Finish,
    Waiting::Withheld,
    Waiting::Write,
    Waiting::Ready,
    Waiting::Flush,
    Waiting::Closed,
    Waiting::Upgrade,
    Waiting::Connect,
];

#[test]
fn a_clients_exchange_goes_on_wherever_a_wait_was_given_up() {
    for what in AGAIN {
        let places = at_every_wait(|when| run(what, Then::Again, when));
        println!("{what:?}: {places} places");
        assert!(places > 0, "{what:?} never waits");
    }
}

#[test]
fn a_client_that_leaves_wherever_it_waits_leaves_nothing_behind() {
    for what in AGAIN {
        let places = at_every_wait(|when| run(what, Then::Leave, when));
        println!("{what:?}: {places} places");
        assert!(places > 0, "{what:?} never waits");
    }
}

/// Whoever holds a right of it is told: no wait is left, and what the answer says of the request is true.
#[test]
fn a_clients_driver_that_is_dropped_tells_everybody_wherever_it_was() {
    let places = at_every_wait(|when| {
        let world = world();
        let (line, one, other) = wire(&world, bytes(60));
        let (_, whole) = serve(&world, other);
        let (connection, driver) = Connection::over(one, world.clone(), &config());
        let given_up: Arc<Mutex<Option<bool>>> = Arc::default();
        let note = Arc::clone(&given_up);
        world.spawn("driver", async move {
            let mut giving = Giving::new(Waiting::Driver, when);
            *note.hold() = Some(giving.first(Waiting::Driver, driver).await.is_none());
        });
        let (taken, answers) = (Arc::clone(&line), Arc::<Mutex<Vec<bool>>>::default());
        let (answering, sharing) = (Arc::clone(&answers), world.clone());
        world.spawn("client", async move {
            let mut next = Some(connection);
            for index in 0..2 {
                let Some(connection) = next.take() else { break };
                let before = taken.hold().taken(0).len();
                let head = Request::new(Method::Post, "h", &format!("/{index}")).unwrap();
                let (mut body, mut response) = connection.request(&head, Framing::Length(REQUEST as u64));
                sharing.spawn("writer", async move {
                    for piece in request_body(index).chunks(500) {
                        if let Err(error) = body.write(piece.to_vec()).await {
                            assert!(matches!(Ended::from(error).kind(), EndedKind::Cancelled));
                            return;
                        }
                    }
                    let _ = body.flush().await;
                    let _ = body.finish();
                });
                while response.interim().await.is_some() {}
                let failure = match response.await {
                    Ok(mut received) => {
                        let read = received.read_all(1000).await;
                        answering.hold().push(read.is_ok());
                        match read {
                            Ok(body) => assert_eq!(body, response_body(index)),
                            Err(error) => {
                                assert!(matches!(error.ended.kind(), EndedKind::Cancelled), "{error}");
                                return;
                            }
                        }
                        next = received.finish().await;
                        continue;
                    }
                    Err(failure) => failure,
                };
                answering.hold().push(false);
                assert!(matches!(failure.ended().kind(), EndedKind::Cancelled), "{failure}");
                let is_sent = taken.hold().taken(0).len() > before;
                assert_eq!(matches!(failure, RequestError::NotSent(_)), !is_sent, "{failure}");
                return;
            }
        });
        world.run();
        assert!((0..2).all(|side| line.hold().is_dropped(side)), "{when:?}");
        assert_eq!(world.kept_wakers(), Vec::<String>::new(), "{when:?}");
        let (answers, whole) = (answers.hold(), whole.hold());
        assert!(answers.iter().filter(|is_whole| **is_whole).count() <= whole.len(), "{when:?}");
        let given_up = given_up.hold().take().unwrap();
        assert!(given_up || *answers == [true, true], "{when:?}: {answers:?}");
        given_up
    });
    println!("Driver: {places} places");
    assert!(places > 100, "{places}");
}
