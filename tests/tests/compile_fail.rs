//! What must not be written cannot be written down.

use std::path::Path;

/// The promises of the HTTP server core: each file of the folder is one.
#[test]
fn the_rights_of_an_http_server_end_with_their_values() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("compile_fail/http");
    let core =
        "endwell-core = { path = \"{root}/core\" }\nbytes = { version = \"1\", default-features = false }";
    assert_eq!(endwell_tests::compile::must_not_compile(&folder, core), 15);
}
