//! What must not be written with the adapters cannot be written down.

use std::path::Path;

use endwell_core_tests::compile::must_not_compile;

const ADAPTERS: &str = "endwell = { path = \"{root}/adapters\", features = [\"hub\"] }\ntokio = { version = \"1\", features = [\"net\"] }";

#[test]
fn the_adapters_take_and_give_the_same_rights() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("compile_fail/adapters");
    assert_eq!(must_not_compile(&folder, ADAPTERS), 55);
}
