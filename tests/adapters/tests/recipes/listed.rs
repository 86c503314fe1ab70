//! The list of recipes.

use std::collections::BTreeSet;
use std::path::Path;

/// Each recipe is in the list with the first sentence of its documentation, and is run here.
#[test]
fn each_recipe_is_listed_and_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("docs/recipes");
    let list = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let tests = include_str!("main.rs");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let doc: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//! ")).collect();
        let line = format!("- [`{name}`]({name}): {}", doc.join(" "));
        assert!(list.contains(&line), "add to docs/recipes/README.md:\n{line}");
        assert!(tests.contains(&format!("docs/recipes/{name}")), "{name} is not run");
        found.insert(name);
    }
    assert_eq!(list.matches("\n- [`").count(), found.len(), "the list has more");
}
