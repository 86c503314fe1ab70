//! Whatever is sent comes out the same: any messages, any parameters, any form of sending, any split.

use endwell_core::ws::{Compression, DataMessage, Deflate, Frame, Kind, SocketLimits};
use endwell_core::ws::{Event, Piece, Socket};
use endwell_core_tests::io::{feed, written};
use proptest::prelude::*;

use crate::ws_help::{self, Got, run_cut};
use crate::{agreed, bits, json, noise};

/// A message, and how it is sent.
#[derive(Clone, Debug)]
struct Sent {
    kind: Kind,
    data: String,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Borrowed,
    Owned(Compression),
    Shared(Compression),
    /// In pieces of so many characters, with a ping between.
    Pieces(Compression, usize),
}

fn settings() -> impl Strategy<Value = Deflate> {
    let context = prop_oneof![Just(None), (9..=15_u8).prop_map(|count| Some(bits(count)))];
    let sent = prop_oneof![Just(0_usize), 1..70_000_usize];
    (0..=10_u8, 0..300_usize, 9..=15_u8, 0..=10_u8, sent, context).prop_map(
        |(level, least, window, memory, sent, received)| {
            let mut deflate = Deflate::default();
            (deflate.level, deflate.least, deflate.memory_level) = (level, least, memory);
            (deflate.window, deflate.sent_context, deflate.received_context) = (bits(window), sent, received);
            deflate
        },
    )
}

fn sent() -> impl Strategy<Value = Sent> {
    let data = prop_oneof![
        4 => "[a-e水🎉]{0,60}",
        4 => (0..2000_usize, any::<u16>()).prop_map(|(len, seed)| json(len, seed.into())),
        1 => (0..90_000_usize, any::<u16>()).prop_map(|(len, seed)| json(len, seed.into())),
        // What does not shrink.
        1 => (0..2000_usize).prop_map(|len| noise(len).iter().map(|&byte| char::from(byte)).collect()),
    ];
    let word = prop_oneof![
        2 => Just(Compression::BySize),
        2 => Just(Compression::Always),
        1 => Just(Compression::Never),
    ];
    let form = (0..4_u8, word, 1..3000_usize).prop_map(|(form, word, len)| match form {
        0 => Form::Borrowed,
        1 => Form::Owned(word),
        2 => Form::Shared(word),
        _ => Form::Pieces(word, len),
    });
    let kind = prop_oneof![Just(Kind::Text), Just(Kind::Binary)];
    (kind, data, form).prop_map(|(kind, data, form)| Sent { kind, data, form })
}

/// Sends it, and says what must be received.
fn send(sent: &Sent, mut socket: Socket) -> (Socket, Vec<Got>) {
    let Sent { kind, data, form } = sent;
    let message = || match kind {
        Kind::Text => DataMessage::text(data.as_str()),
        Kind::Binary => DataMessage::binary(data.clone().into_bytes()),
    };
    let mut expected = vec![];
    match form {
        Form::Borrowed if *kind == Kind::Text => socket.writer().text(data).unwrap(),
        Form::Borrowed => socket.writer().binary(data.as_bytes()).unwrap(),
        Form::Owned(word) => socket.writer().message(message().with_compression(*word)).unwrap(),
        Form::Shared(word) => {
            socket.writer().frame(&Frame::encode(message().with_compression(*word))).unwrap();
        }
        Form::Pieces(word, len) => {
            let characters: Vec<char> = data.chars().collect();
            let mut within = socket.begin_with(*kind, *word);
            for piece in characters.chunks(*len) {
                within.writer().write(piece.iter().collect::<String>().into()).unwrap();
                within.ping(endwell_core::ws::Control::new(b"?").unwrap()).unwrap();
                expected.push(Got::Ping(b"?".to_vec()));
            }
            socket = within.finish().unwrap();
        }
    }
    expected.push(match kind {
        Kind::Text => Got::Text(data.clone()),
        Kind::Binary => Got::Binary(data.clone().into_bytes()),
    });
    (socket, expected)
}

fn comes_through(mut from: Socket, to: impl Fn() -> Socket, messages: &[Sent], cuts: &[usize]) {
    let (mut expected, mut bytes) = (vec![], vec![]);
    for message in messages {
        let got;
        (from, got) = send(message, from);
        expected.extend(got);
        bytes.extend(written(from.io()));
    }
    expected.push(Got::Failure(None));
    for pieces in [false, true] {
        let (got, _) = run_cut(to(), &bytes, cuts, pieces);
        assert!(got == expected, "in pieces: {pieces}; {messages:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_received(
        (ours, theirs) in (settings(), settings()),
        messages in prop::collection::vec(sent(), 1..8),
        cuts in prop::collection::vec(prop_oneof![0..10_usize, 0..5000_usize], 1..6),
    ) {
        let mut limits = SocketLimits::default();
        limits.fragments = 1 << 20;
        let (server, client) = agreed(&ours, &theirs);
        let at_server = || ws_help::server(&limits).deflate(&server);
        let at_client = || ws_help::client(&limits).deflate(&client);
        comes_through(at_client(), at_server, &messages, &cuts);
        comes_through(at_server(), at_client, &messages, &cuts);
    }
}

/// The rest of a message that nobody wants is skipped, and the next one may refer to it.
#[test]
fn what_is_skipped_is_remembered() {
    let (server, client) = agreed(&Deflate::default(), &Deflate::default());
    let mut client = ws_help::client(&SocketLimits::default()).deflate(&client);
    let mut server = ws_help::server(&SocketLimits::default()).deflate(&server);
    let first = json(50_000, 1);
    client.writer().text(&first).unwrap();
    feed(server.io(), &written(client.io()));
    client.writer().text(&first[47_000..]).unwrap();
    let last = written(client.io());
    assert!(last.len() < 200, "it refers to the first: {} bytes", last.len());
    assert!(matches!(server.piece(), Some(Piece::Start(Kind::Text))));
    let Some(Piece::Text(text)) = server.piece() else { panic!("it goes on with text") };
    assert_eq!(*text, first[..text.len()]);
    feed(server.io(), &last);
    let Some(Event::Text(text)) = server.event() else { panic!("the next message") };
    assert_eq!(*text, first[47_000..]);
}
