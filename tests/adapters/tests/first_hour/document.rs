//! `docs/first-hour.md` shows what is tested here.

use std::fs;
use std::path::Path;

/// The blocks of a kind in a part of the document.
fn blocks<'a>(text: &'a str, kind: &str) -> Vec<&'a str> {
    let mut blocks = Vec::new();
    for (index, block) in text.split("```").enumerate() {
        if let (1, Some(block)) = (index % 2, block.strip_prefix(kind)) {
            blocks.push(block);
        }
    }
    blocks
}

/// Lines without their indentation, which is that of the place where they stand.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// True if the lines of `part` stand in `whole`, one after the other.
fn holds(whole: &str, part: &str) -> bool {
    let (whole, part) = (lines(whole), lines(part));
    whole.windows(part.len()).any(|lines| lines == part)
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn shows_twenty_things_as_they_are_tested() {
    let document = read("../../docs/first-hour.md");
    let (things, _) = document.split_once("\n# What the compiler says").unwrap();
    let tests = ["client", "errors", "server", "shutdown"];
    let tests: String = tests.iter().map(|name| read(&format!("tests/first_hour/{name}.rs"))).collect();
    let things: Vec<&str> = things.split("\n## ").skip(1).collect();
    assert_eq!(things.len(), 20);
    for (index, thing) in things.iter().enumerate() {
        assert!(thing.starts_with(&format!("{}. ", index + 1)), "{thing}");
        assert!(thing.contains("In the first version: "), "{thing}");
        let shown = blocks(thing, "rust\n");
        assert!(!shown.is_empty(), "{thing}");
        for block in shown {
            assert!(holds(&tests, block), "not a part of a test:\n{block}");
        }
    }
}

#[test]
fn shows_mistakes_that_do_not_compile() {
    let document = read("../../docs/first-hour.md");
    let (_, mistakes) = document.split_once("\n# What the compiler says").unwrap();
    let mistakes: Vec<&str> = mistakes.split("\n## ").skip(1).collect();
    assert!(mistakes.len() >= 10);
    for mistake in &mistakes {
        let name = mistake.split_once("rogram: `").unwrap().1.split_once('`').unwrap().0;
        let program = read(&format!("compile_fail/adapters/{name}.rs"));
        let marked = program.lines().find(|line| line.contains("//~ ") && !line.trim().starts_with("//~"));
        let expected = marked.unwrap().split_once("//~ ").unwrap().1.trim().trim_matches('"');
        let code: Vec<&str> =
            program.lines().map(|line| line.split("//~").next().unwrap_or_default()).collect();
        for block in blocks(mistake, "rust\n") {
            assert!(holds(&code.join("\n"), block), "not a part of {name}:\n{block}");
        }
        let [message] = blocks(mistake, "text\n")[..] else { panic!("{mistake}") };
        assert!(message.contains(expected), "{name}: {expected} is not in\n{message}");
        for says in program.lines().filter_map(|line| line.split_once("//~ says: ")) {
            assert!(message.contains(says.1), "{name}: {} is not in\n{message}", says.1);
        }
    }
}
