//! The vocabulary: each public name of both crates means one thing, and `docs/vocabulary.md` has what its documentation says.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Names that the adapters and the core, or the modules of runtimes, give to one concept. Each has one line for all.
/// Those that a macro or another crate defines have a line of the table's own too.
const SHARED: &[&str] = &["Answered", "Exchange", "Socket", "Stream", "Tcp", "Upgraded"];

/// Where a name is exported, and where it is defined.
#[derive(Default)]
struct Name {
    /// The modules of `endwell`, and those of `endwell-core`.
    modules: [BTreeSet<String>; 2],
    definitions: usize,
}

#[test]
fn each_public_name_means_one_thing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut names = BTreeMap::new();
    let sources = ["adapters/src", "core/src"].map(|folder| root.join(folder));
    for (which, source) in sources.iter().enumerate() {
        module(&mut names, which, source, "lib.rs", "");
    }
    let mut meanings = BTreeMap::new();
    for file in sources.iter().flat_map(|source| files(source)) {
        for (name, meaning) in meanings_in(&fs::read_to_string(file).unwrap()) {
            meanings.entry(name).or_insert_with(Vec::new).push(meaning);
        }
    }

    let text = fs::read_to_string(root.join("docs/vocabulary.md")).unwrap();
    let listed: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let cells = |line: &str| line.split(" | ").map(str::to_owned).collect::<Vec<_>>();
    let listed: BTreeMap<String, &str> = listed
        .into_iter()
        .map(|line| (cells(line)[0].trim_matches(['|', ' ', '`']).to_owned(), line))
        .collect();
    assert_eq!(listed.len(), text.matches("\n| `").count(), "a name has two lines");

    let mut wrong = Vec::new();
    let mut said = BTreeMap::<String, String>::new();
    for (name, Name { modules, definitions }) in &names {
        let line = listed.get(name).copied().unwrap_or_default();
        let in_table = line.split(" | ").nth(3).unwrap_or_default().trim_end_matches(" |").to_owned();
        let meaning = match SHARED.contains(&name.as_str()) {
            true => in_table,
            false if *definitions > 1 => {
                wrong.push(format!("{name} means {definitions} things: {modules:?}"));
                continue;
            }
            false => meanings.get(name).map_or(in_table, |found| found[0].clone()),
        };
        let [adapters, core] =
            modules.each_ref().map(|modules| modules.iter().cloned().collect::<Vec<_>>().join(", "));
        let expected = format!("| `{name}` | {adapters} | {core} | {meaning} |");
        if line != expected || !meaning.ends_with('.') {
            wrong.push(expected);
        }
        if let Some(other) = said.insert(meaning, name.clone()) {
            wrong.push(format!("{name} and {other} mean the same"));
        }
    }
    wrong.extend(
        listed.keys().filter(|name| !names.contains_key(*name)).map(|name| format!("{name} is not public")),
    );
    assert!(wrong.is_empty(), "docs/vocabulary.md should have\n{}", wrong.join("\n"));
    println!("{} names", names.len());
}

/// Reads a public module, and those in it.
fn module(names: &mut BTreeMap<String, Name>, which: usize, source: &Path, file: &str, path: &str) {
    let text = fs::read_to_string(source.join(file)).unwrap();
    let shown = if path.is_empty() { "root".to_owned() } else { format!("`{path}`") };
    let mut add = |name: &str, is_definition: bool| {
        let entry = names.entry(name.to_owned()).or_default();
        entry.modules[which].insert(shown.clone());
        entry.definitions += usize::from(is_definition);
    };
    let mut inner = Vec::new();
    for item in items(&text) {
        if let Some(tree) = item.strip_prefix("pub use ") {
            let first = tree.trim_start_matches("::").split("::").next().unwrap().trim();
            let is_here = text.contains(&format!("\nmod {first};"));
            for name in leaves(tree.trim_end_matches(';')) {
                add(&name, is_here);
            }
        } else if let Some(name) = item.strip_prefix("pub mod ") {
            inner.push(name.trim_end_matches(';').to_owned());
        } else if let Some(name) = defined(&item) {
            add(name, true);
        }
    }
    let folder = file.trim_end_matches("lib.rs").trim_end_matches("mod.rs").trim_end_matches('/');
    for name in inner {
        let within =
            [folder, &name].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/");
        let file = [format!("{within}.rs"), format!("{within}/mod.rs")];
        let file = file.iter().find(|file| source.join(file).exists()).unwrap();
        let path = if path.is_empty() { name.clone() } else { format!("{path}::{name}") };
        module(names, which, source, file, &path);
    }
}

/// The items of a formatted file that are public, each in one line, without those that the documentation hides.
fn items(text: &str) -> Vec<String> {
    let (mut items, mut open, mut is_hidden) = (Vec::new(), None::<String>, false);
    for line in text.lines() {
        if let Some(item) = &mut open {
            item.push_str(line.trim());
        } else if line.starts_with("pub ") || line.starts_with("    pub struct ") {
            if !std::mem::take(&mut is_hidden) {
                open = Some(line.trim().to_owned());
            }
        } else if line == "#[doc(hidden)]" {
            is_hidden = true;
        }
        if open.as_deref().is_some_and(|item| item.ends_with(';') || !item.starts_with("pub use ")) {
            items.extend(open.take());
        }
    }
    items
}

/// The names that a tree of `use` exports: types and functions, not crates.
fn leaves(tree: &str) -> Vec<String> {
    let Some((path, rest)) = tree.split_once('{') else {
        let (path, name) = tree.rsplit_once("::").unwrap_or(("", tree));
        return if path.is_empty() { Vec::new() } else { vec![renamed(name)] };
    };
    assert!(path.ends_with("::") && !rest.contains('{') && !rest.contains('*'), "too deep: {tree}");
    rest.trim_end_matches('}').split(',').map(renamed).filter(|name| !name.is_empty()).collect()
}

/// The name under which a leaf is exported.
fn renamed(leaf: &str) -> String {
    leaf.split(" as ").last().unwrap_or_default().trim().to_owned()
}

/// The name that a line defines.
fn defined(item: &str) -> Option<&str> {
    let rest = item.trim_start().strip_prefix("pub ")?;
    let rest = rest.strip_prefix("async ").unwrap_or(rest);
    let rest =
        ["struct ", "enum ", "trait ", "fn ", "type "].iter().find_map(|kind| rest.strip_prefix(kind))?;
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

/// What a file's documentation says of what it defines: the first sentence.
fn meanings_in(text: &str) -> Vec<(String, String)> {
    let mut meanings = Vec::new();
    let (mut said, mut is_over, mut is_attribute) = (String::new(), false, false);
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(comment) = trimmed.strip_prefix("///") {
            is_over |= comment.trim().is_empty();
            if !is_over {
                said = format!("{said} {}", comment.trim());
            }
        } else if is_attribute || trimmed.starts_with("#[") {
            is_attribute = !trimmed.ends_with(']');
        } else if !trimmed.starts_with("//") {
            let is_item = line.starts_with("pub ") || line.starts_with("    pub struct ");
            if let (true, Some(name)) = (is_item, defined(line)) {
                meanings.push((name.to_owned(), sentence(said.trim())));
            }
            (said, is_over) = (String::new(), false);
        }
    }
    meanings
}

/// The first sentence, without the targets of its links.
fn sentence(text: &str) -> String {
    let text = text.split_once(". ").map_or(text.to_owned(), |(first, _)| format!("{first}."));
    let mut shown = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('[') {
        let (link, after) = after.split_once(']').unwrap();
        shown.extend([before, link]);
        rest = after.strip_prefix('(').map_or(after, |target| target.split_once(')').unwrap().1);
    }
    shown + rest
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}
