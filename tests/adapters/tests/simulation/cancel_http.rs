//! The same for the futures of an exchange, and for the task of its connection.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use endwell::http::{Framing, StatusCode};
use endwell::{Answered, Ended, EndedKind, Exchange, ServerConfig, WriteError};
use endwell_core_tests::client::{self, Asked, Heard};

use crate::cancel::{at_every_wait, bytes};
use crate::client::{Request, Then, ask};
use crate::handler::serve_one;
use crate::ledger::content;
use crate::wire::wire;
use crate::world::{GiveUp, Hold, Manners, World, race, until_pending};

/// What is dropped while it waits.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Waiting {
    Read,
    ReadAll,
    ReadStarted,
    Gone,
    Write,
    Ready,
    Flush,
    Run,
}

const WAITING: [Waiting; 8] = [
    Waiting::Read,
    Waiting::ReadAll,
    Waiting::ReadStarted,
    Waiting::Gone,
    Waiting::Write,
    Waiting::Ready,
    Waiting::Flush,
    Waiting::Run,
];

type Noted = Arc<Mutex<(bool, Vec<u8>)>>;

fn body() -> Vec<u8> {
    content((0, 0), 208)
}

/// Notes whether it was given up, and what the response is to be.
async fn handle(
    what: Waiting,
    when: GiveUp,
    noted: Noted,
    mut exchange: Exchange,
) -> Result<Answered, Ended> {
    let give_up = || noted.hold().0 = true;
    let mut when = when;
    match what {
        Waiting::Read => {
            let mut whole = Vec::new();
            loop {
                match until_pending(exchange.read(), when).await {
                    None => {
                        give_up();
                        when = GiveUp::Woken(usize::MAX);
                    }
                    Some(Ok(Some(piece))) => whole.extend(piece),
                    Some(Ok(None)) => break,
                    Some(Err(ended)) => return Err(ended),
                }
            }
            assert_eq!(whole, body());
            Ok(exchange.respond(StatusCode::OK, whole))
        }
        Waiting::ReadAll => {
            // What was read so far is lost with the future; the rest comes, and the answer is whole.
            if until_pending(exchange.read_all(1000), when).await.is_none() {
                give_up();
            }
            let rest = exchange.read_all(1000).await?;
            assert!(body().ends_with(&rest));
            Ok(exchange.respond(StatusCode::OK, body()))
        }
        Waiting::Gone => {
            // A client that has only ended its side is not gone.
            let time = World::current().sleep(Duration::from_millis(500));
            if let Ok(None) = race(until_pending(exchange.gone(), when), time).await {
                give_up();
            }
            Ok(exchange.respond(StatusCode::OK, body()))
        }
        Waiting::ReadStarted => {
            let (mut request, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            loop {
                match until_pending(request.read(), when).await {
                    None => {
                        give_up();
                        when = GiveUp::Woken(usize::MAX);
                    }
                    Some(Ok(Some(piece))) => response.write(piece).await?,
                    Some(Ok(None)) => return response.finish(),
                    Some(Err(ended)) => return Err(ended),
                }
            }
        }
        Waiting::Write | Waiting::Ready | Waiting::Flush | Waiting::Run => {
            let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
            let long = content((1, 0), 9000);
            let mut sent = 0;
            if what == Waiting::Write {
                let mut write = response.write(long.clone());
                let done = until_pending(&mut write, when).await;
                let rest = write.into_rest();
                match done {
                    None => give_up(),
                    Some(Err(WriteError::Ended(ended))) => return Err(ended),
                    Some(other) => other?,
                }
                assert!(long.ends_with(&rest));
                sent = long.len() - rest.len();
            } else {
                for piece in long.chunks(500) {
                    if what == Waiting::Ready && until_pending(response.ready(), when).await.is_none() {
                        give_up();
                    }
                    response.write(piece.to_vec()).await?;
                    sent += piece.len();
                    if what == Waiting::Flush && until_pending(response.flush(), when).await.is_none() {
                        give_up();
                    }
                }
            }
            response.write(long[sent..].to_vec()).await?;
            response.finish()
        }
    }
}

fn run(what: Waiting, when: GiveUp) -> bool {
    let world = World::new(1, Manners { spurious: Some(3), ..Manners::default() });
    let (line, one, other) = wire(&world, bytes(20));
    let heard: Arc<Mutex<Vec<u8>>> = Arc::default();
    let hearing = Arc::clone(&heard);
    let asking = ask(world.clone(), one, vec![Request::post(&body())], Then::HalfClose, Duration::ZERO);
    world.spawn("client", async move { *hearing.hold() = asking.await.output });
    let mut config = ServerConfig::default();
    config.output.bytes = 4096;
    config.output.high_water = 1000;
    config.http.received_bytes = 100;
    let noted = Noted::default();
    let noting = Arc::clone(&noted);
    let inner = if what == Waiting::Run { GiveUp::Woken(usize::MAX) } else { when };
    let handler = move |exchange: Exchange| handle(what, inner, Arc::clone(&noting), exchange);
    let running = serve_one(&world, other, config, handler);
    let note = Arc::clone(&noted);
    world.spawn("connection", async move {
        if what != Waiting::Run {
            let ended = running.await;
            assert!(
                matches!(ended.kind(), EndedKind::ByPeer | EndedKind::Announced),
                "{what:?} {when:?}: {ended}"
            );
        } else if until_pending(running, when).await.is_none() {
            note.hold().0 = true;
        }
    });
    world.run();
    assert!((0..2).all(|side| line.hold().is_dropped(side)));
    assert_eq!(world.kept_wakers(), Vec::<String>::new());
    let given_up = noted.hold().0;
    let heard: Heard = client::read(&heard.hold(), &[Asked::GET]).unwrap();
    let expected = if WAITING[..4].contains(&what) { body() } else { content((1, 0), 9000) };
    if what == Waiting::Run && given_up {
        // Cut off, and recognisably so; or all of it had been written.
        let cut = heard.responses.iter().all(|response| !response.whole || response.content == expected);
        assert!(cut, "{when:?} {heard:?}");
    } else {
        assert_eq!(heard.responses.len(), 1, "{what:?} {when:?}");
        assert!(
            heard.responses[0].whole && heard.responses[0].content == expected,
            "{what:?} {when:?} {heard:?}"
        );
    }
    given_up
}

#[test]
fn an_exchange_goes_on_wherever_a_wait_was_given_up() {
    for what in WAITING {
        let places = at_every_wait(|when| run(what, when));
        println!("{what:?}: {places} places");
        assert!(places > 0, "{what:?} never waits");
    }
}
