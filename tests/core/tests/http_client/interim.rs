//! Interim responses, RFC 9110 15.2, and the 101 that nobody asked for.

use endwell_core_tests::asking::{Ask, Note};
use endwell_core_tests::hearing::{hear, refuses};

#[test]
fn interim_responses_are_handed_out_before_the_final_one() {
    let response = "HTTP/1.1 100 Continue~~HTTP/1.1 103 Early Hints~Link: </a>~~HTTP/1.1 199 ~~\
                    HTTP/1.1 200 OK~Content-Length: 2~~hi";
    let hearing = hear(&Ask::get(), response);
    let link = vec![("Link".to_owned(), b"</a>".to_vec())];
    assert_eq!(
        hearing.notes[1..4],
        [Note::Interim(100, vec![]), Note::Interim(103, link), Note::Interim(199, vec![])]
    );
    assert!(hearing.kept && hearing.content().unwrap().0 == b"hi");
}

/// RFC 9112 6.3: a 1xx ends with its head, whatever its fields say.
#[test]
fn an_interim_response_has_no_content() {
    for field in ["Content-Length: 2", "Transfer-Encoding: chunked"] {
        let response = format!("HTTP/1.1 103 x~{field}~~HTTP/1.1 200 OK~Content-Length: 0~~");
        assert_eq!(hear(&Ask::get(), &response).status(), Some(200), "{field}");
    }
}

#[test]
fn without_an_end_they_end() {
    let many = |count: usize| "HTTP/1.1 103 x~~".repeat(count) + "HTTP/1.1 204 x~~";
    assert_eq!(hear(&Ask::get(), &many(16)).status(), Some(204));
    let hearing = hear(&Ask::get(), &many(17));
    let Some(Note::Failed(why)) = hearing.notes.last() else { panic!("{:?}", hearing.notes) };
    assert_eq!(why, "there are too many interim responses: the limit is 16");
    let hearing = hear(&Ask::get(), "HTTP/1.1 103 x~~");
    let Some(Note::Failed(why)) = hearing.notes.last() else { panic!("{:?}", hearing.notes) };
    assert!(why.contains("a final response behind the interim ones"), "{why}");
}

#[test]
fn a_101_that_nobody_asked_for_is_an_error() {
    let why = "no 101 to a request that offers no other protocol";
    refuses(&[
        ("HTTP/1.1 101 Switching Protocols~~", why),
        ("HTTP/1.1 101 x~Connection: upgrade~Upgrade: websocket~~\\x81\\x00", why),
    ]);
}
