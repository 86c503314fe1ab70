//! RFC 7692 5 and 7.1: what is offered, answered and confirmed.

use std::sync::Arc;

use endwell_core::ws::{Agreement, Deflate};

use crate::{answer, bits};

/// The answer to what a client offers.
fn answered(offers: &str, deflate: &Deflate) -> Option<String> {
    answer(offers, deflate).as_ref().map(Agreement::field)
}

#[test]
fn a_server_answers_the_first_offer_that_it_can_keep_to() {
    let default = Deflate::default();
    for (offers, expected) in [
        ("permessage-deflate", Some("permessage-deflate")),
        ("permessage-deflate; client_max_window_bits", Some("permessage-deflate")),
        ("permessage-deflate;client_max_window_bits=10", Some("permessage-deflate")),
        ("permessage-deflate;client_max_window_bits=8", Some("permessage-deflate")),
        (
            "permessage-deflate; server_max_window_bits=10",
            Some("permessage-deflate; server_max_window_bits=10"),
        ),
        (
            "permessage-deflate; server_max_window_bits=\"15\"",
            Some("permessage-deflate; server_max_window_bits=15"),
        ),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
        ),
        // Passed over: our compressor cannot be held to 8.
        ("permessage-deflate; server_max_window_bits=8", None),
        (
            "permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=9",
            Some("permessage-deflate; server_max_window_bits=9"),
        ),
        // The order of the offers decides.
        (
            "permessage-deflate; server_no_context_takeover, permessage-deflate",
            Some("permessage-deflate; server_no_context_takeover"),
        ),
        ("permessage-deflate, permessage-deflate; server_no_context_takeover", Some("permessage-deflate")),
        // Extensions that nobody knows, also with parameters that could be ours.
        ("x-webkit-deflate-frame, permessage-bzip2; client_max_window_bits=1", None),
        ("foo; bar=\"baz\", permessage-deflate", Some("permessage-deflate")),
        ("Permessage-Deflate", None),
        ("", None),
    ] {
        assert_eq!(answered(offers, &default).as_deref(), expected, "{offers}");
    }
}

#[test]
fn an_offer_that_is_not_valid_is_passed_over() {
    for parameters in [
        "unknown",
        "unknown=1",
        "server_no_context_takeover=true",
        "client_no_context_takeover=1",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=010",
        "server_max_window_bits=09",
        "server_max_window_bits=1",
        "server_max_window_bits=100",
        "server_max_window_bits=ten",
        "server_max_window_bits=-9",
        "server_max_window_bits=10; server_max_window_bits=10",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=0",
        "client_max_window_bits=+9",
        "client_max_window_bits; client_max_window_bits",
        "client_max_window_bits; client_max_window_bits=10",
        "Server_No_Context_Takeover",
    ] {
        let offer = format!("permessage-deflate; {parameters}");
        assert_eq!(answered(&offer, &Deflate::default()), None, "{offer}");
        // What comes behind it is looked at, on the same line and on another.
        let more = format!("{offer}, permessage-deflate; server_max_window_bits=9");
        let expected = "permessage-deflate; server_max_window_bits=9";
        assert_eq!(answered(&more, &Deflate::default()).as_deref(), Some(expected));
        let lines = [offer.as_bytes(), b"permessage-deflate; server_max_window_bits=9"];
        let agreement = Agreement::answer(lines, &Deflate::default().into()).unwrap().unwrap();
        assert_eq!(agreement.field(), expected);
    }
}

#[test]
fn what_has_not_the_form_of_the_field_fails() {
    for malformed in [
        "permessage-deflate;",
        "permessage-deflate; =9",
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate server_max_window_bits",
        "permessage-deflate; server_max_window_bits=\"9",
        "permessage-deflate; server_max_window_bits=\"9 \"",
        "permessage-deflate, foo;",
    ] {
        let deflate = Arc::new(Deflate::default());
        assert!(Agreement::answer([malformed.as_bytes()], &deflate).is_err(), "{malformed}");
        assert!(deflate.confirm([malformed.as_bytes()]).is_err(), "{malformed}");
    }
}

#[test]
fn a_server_says_what_it_holds_to() {
    let without = Deflate::without_context();
    let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert_eq!(answered("permessage-deflate", &without).as_deref(), Some(both));
    let mut small = Deflate::default();
    (small.window, small.received_context) = (bits(11), Some(bits(10)));
    for (offer, expected) in [
        // A window of the client's that is larger than what we hold: limited, or forgotten.
        (
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10",
        ),
        (
            "permessage-deflate; client_max_window_bits=11",
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10",
        ),
        ("permessage-deflate; client_max_window_bits=9", "permessage-deflate; server_max_window_bits=11"),
        ("permessage-deflate", "permessage-deflate; client_no_context_takeover; server_max_window_bits=11"),
        (
            "permessage-deflate; server_max_window_bits=9; client_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=9",
        ),
    ] {
        assert_eq!(answered(offer, &small).as_deref(), Some(expected), "{offer}");
    }
}

#[test]
fn a_client_offers_what_it_wants() {
    let offers = |change: fn(&mut Deflate)| {
        let mut deflate = Deflate::default();
        change(&mut deflate);
        deflate.offer()
    };
    assert_eq!(offers(|_| {}), "permessage-deflate; client_max_window_bits");
    assert_eq!(offers(|ours| ours.window = bits(12)), "permessage-deflate; client_max_window_bits=12");
    assert_eq!(
        Deflate::without_context().offer(),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"
    );
    assert_eq!(
        offers(|ours| ours.received_context = Some(bits(10))),
        "permessage-deflate; server_max_window_bits=10; client_max_window_bits, \
         permessage-deflate; server_no_context_takeover; client_max_window_bits"
    );
}

#[test]
fn a_client_takes_an_answer_to_its_offer_and_no_other() {
    let small = {
        let mut small = Deflate::default();
        (small.window, small.received_context) = (bits(12), Some(bits(10)));
        small
    };
    let (default, without) = (Deflate::default(), Deflate::without_context());
    for (ours, answer, is_taken) in [
        (&default, "permessage-deflate", true),
        // Unoffered, and allowed all the same: 7.1.1.1, 7.1.1.2, 7.1.2.1.
        (&default, "permessage-deflate; server_no_context_takeover", true),
        (&default, "permessage-deflate; client_no_context_takeover", true),
        (&default, "permessage-deflate; server_max_window_bits=8", true),
        (&default, "permessage-deflate; server_max_window_bits=\"15\"", true),
        (&default, "permessage-deflate; client_max_window_bits=9", true),
        (&default, "permessage-deflate; client_max_window_bits=15", true),
        // Our compressor cannot be held to 8, and need not compress.
        (&default, "permessage-deflate; client_max_window_bits=8", true),
        (&default, "permessage-deflate; client_max_window_bits=\"8\"", true),
        (&default, "permessage-deflate; client_no_context_takeover; client_max_window_bits=8", true),
        (&default, "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8", true),
        (&small, "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8", true),
        (&without, "permessage-deflate; server_no_context_takeover; client_max_window_bits=8", true),
        (&default, "permessage-deflate; client_max_window_bits=7", false),
        // In an answer it has a value.
        (&default, "permessage-deflate; client_max_window_bits", false),
        (&default, "permessage-deflate; server_max_window_bits", false),
        (&default, "permessage-deflate; server_max_window_bits=16", false),
        (&default, "permessage-deflate; server_no_context_takeover=1", false),
        (&default, "permessage-deflate; client_no_context_takeover; client_no_context_takeover", false),
        (&default, "permessage-deflate; unknown", false),
        (&default, "permessage-deflate, permessage-deflate", false),
        (&default, "permessage-deflate, foo", false),
        (&default, "foo", false),
        // More than was offered.
        (&small, "permessage-deflate; server_max_window_bits=10; client_max_window_bits=13", false),
        (&small, "permessage-deflate; server_max_window_bits=10; client_max_window_bits=12", true),
        (&small, "permessage-deflate; server_max_window_bits=11", false),
        (&small, "permessage-deflate", false),
        (&small, "permessage-deflate; server_no_context_takeover", true),
        (&small, "permessage-deflate; server_no_context_takeover; server_max_window_bits=15", true),
        (&without, "permessage-deflate", false),
        (&without, "permessage-deflate; server_no_context_takeover", true),
    ] {
        let confirmed = Arc::new(ours.clone()).confirm([answer.as_bytes()]);
        assert_eq!(confirmed.is_ok(), is_taken, "{answer}");
        assert!(confirmed.is_err() || confirmed.is_ok_and(|agreement| agreement.is_some()));
    }
    // RFC 6455 11.3.2: the field has one line in an answer, also if the other says nothing.
    for lines in [["permessage-deflate", ""], ["", "permessage-deflate"], ["", ""]] {
        assert!(Arc::new(default.clone()).confirm(lines.map(str::as_bytes)).is_err(), "{lines:?}");
    }
    let nothing = Arc::new(default).confirm([]);
    assert!(nothing.unwrap().is_none(), "the server need not agree");
}

/// 7.1.2.2: a client that is held to a window of 8 bits, which no compressor of ours can have, sends everything uncompressed
/// in whatever form, and receives what is compressed.
#[test]
fn a_client_that_is_held_to_8_bits_sends_uncompressed() {
    use crate::ws_help::{self, Got, frame, run_cut};
    use endwell_core::ws::{Compression, DataMessage, Frame, Kind, SocketLimits};
    use endwell_core_tests::io::written;

    let deflate = Arc::new(Deflate::default());
    for answer in ["", "; server_max_window_bits=8", "; client_no_context_takeover"] {
        let answer = format!("permessage-deflate; client_max_window_bits=8{answer}");
        let agreement = deflate.confirm([answer.as_bytes()]).expect("it is valid").expect("it agrees");
        let make = || ws_help::client(&SocketLimits::default()).deflate(&agreement);
        let mut socket = make();
        assert!(!socket.deflates());
        let text = "again and ".repeat(100);
        let message = || DataMessage::text(text.clone()).with_compression(Compression::Always);
        socket.writer().text(&text).unwrap();
        socket.writer().message(message()).unwrap();
        socket.writer().frame(&Frame::encode(message())).unwrap();
        let mut within = socket.begin_with(Kind::Text, Compression::Always);
        within.writer().write(text.clone().into()).unwrap();
        let bytes = written(within.finish().unwrap().io());
        // A server without compression takes it.
        let (got, _) = run_cut(ws_help::server(&SocketLimits::default()), &bytes, &[100], false);
        let all = vec![Got::Text(text); 4].into_iter().chain([Got::Failure(None)]);
        assert_eq!(got, all.collect::<Vec<_>>());
        // "Hello" of 7.2.3.1, and again of 7.2.3.2, which refers to the first.
        let hello = [frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\0", None), frame(0xc1, b"\xf2\0\x11\0\0", None)];
        assert_eq!(
            crate::received(make, &hello.concat()),
            [ws_help::text("Hello"), ws_help::text("Hello"), Got::Failure(None)]
        );
    }
}

/// 7.1.2.1: a server that cannot compress with 8 bits declines that offer; what the client compresses with it takes.
#[test]
fn a_server_takes_8_bits_from_a_client_and_declines_them_for_itself() {
    for (offers, expected) in [
        ("permessage-deflate; server_max_window_bits=8; client_max_window_bits=8", None),
        ("permessage-deflate; server_no_context_takeover; server_max_window_bits=8", None),
        (
            "permessage-deflate; server_max_window_bits=8, permessage-deflate; client_max_window_bits=8",
            Some("permessage-deflate"),
        ),
        (
            "permessage-deflate; server_max_window_bits=9; client_max_window_bits=8",
            Some("permessage-deflate; server_max_window_bits=9"),
        ),
    ] {
        assert_eq!(answered(offers, &Deflate::default()).as_deref(), expected, "{offers}");
    }
}

/// No pair of settings comes to something that one of the two cannot keep to.
#[test]
fn any_two_of_ours_agree() {
    let windows = [9, 10, 12, 15].map(bits);
    let contexts = [None, Some(bits(9)), Some(bits(12)), Some(bits(15))];
    let all = windows.into_iter().flat_map(|window| {
        contexts.into_iter().flat_map(move |received| {
            [0, 100, 1 << 20].map(|sent| {
                let mut ours = Deflate::default();
                (ours.window, ours.received_context, ours.sent_context) = (window, received, sent);
                ours
            })
        })
    });
    let all: Vec<Deflate> = all.collect();
    for server in &all {
        for client in &all {
            let (_, _) = crate::agreed(server, client);
        }
    }
}
