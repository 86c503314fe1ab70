//! What must not be written cannot be written down.

use std::path::Path;

const CORE: &str =
    "endwell-core = { path = \"{root}/core\" }\nbytes = { version = \"1\", default-features = false }";

/// Each file of a folder is a promise. Says how many were checked.
fn must_not_compile(folder: &str, dependencies: &str) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("compile_fail").join(folder);
    endwell_core_tests::compile::must_not_compile(&folder, dependencies)
}

#[test]
fn the_rights_of_a_connection_are_its_states() {
    assert_eq!(must_not_compile("states", CORE), 34);
}

#[test]
fn the_rights_of_an_http_server_end_with_their_values() {
    assert_eq!(must_not_compile("http", CORE), 15);
}

#[test]
fn the_rights_of_an_http_client_end_with_their_values() {
    assert_eq!(must_not_compile("http_client", CORE), 17);
}

#[test]
fn the_rights_of_a_websocket_end_with_their_values() {
    assert_eq!(must_not_compile("ws", CORE), 27);
}
