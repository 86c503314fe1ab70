//! What must not be written cannot be written down.

use std::path::Path;

const CORE: &str =
    "endwell-core = { path = \"{root}/core\" }\nbytes = { version = \"1\", default-features = false }";

/// Each file is a promise.
#[test]
fn the_rights_of_a_connection_are_its_states() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("compile_fail/states");
    assert_eq!(endwell_core_tests::compile::must_not_compile(&folder, CORE), 72);
}
