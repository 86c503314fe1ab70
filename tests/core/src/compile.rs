//! Programs that must not compile, and their twins that must.
//!
//! A program is a file with one marked line:
//!
//! ```text
//! let again = send.respond(..); //~ E0382
//! //~ twin: drop(sent);
//! ```
//!
//! An error that has no code is marked with a part of its message, in quotes. The marked line must be where the compiler
//! reports exactly this error code (or this lint, if the file denies it), and the only error. Lines with `//~ says:` are parts
//! of what the compiler shows for it: those that come from us, such as a `#[diagnostic::on_unimplemented]`. The twin is the
//! same file with that line replaced, and compiles without an error: so what is wrong is that line and nothing
//! else. Codes are stable between compiler versions, and the texts of errors are not; stable rustdoc ignores
//! the code of a `compile_fail`. So neither `trybuild` nor doctests are used for this.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// An error of the compiler: its code, and the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reported {
    code: String,
    line: usize,
    says: String,
    rendered: String,
}

/// A file with its marked line.
struct Program {
    name: String,
    text: String,
    twin: String,
    expected: Reported,
    says: Vec<String>,
}

/// Checks every program in `folder`, with the crates that `dependencies` names in the form of a manifest. One
/// run of cargo checks them all. Returns how many there were.
pub fn must_not_compile(folder: &Path, dependencies: &str) -> usize {
    let programs = programs(folder);
    let package = package(folder, dependencies);
    for program in &programs {
        let bin = package.join("src/bin");
        fs::write(bin.join(format!("{}.rs", program.name)), &program.text).unwrap();
        fs::write(bin.join(format!("{}_twin.rs", program.name)), &program.twin).unwrap();
    }
    let (built, reported) = check(&package);
    let mut wrong = Vec::new();
    for program in &programs {
        let mut found = reported.get(&program.name).cloned().unwrap_or_default();
        // Some errors have a second part without a code.
        if program.expected.code.starts_with('"') {
            let says = program.expected.code.trim_matches('"');
            let is_said = found.iter().any(|error| {
                error.code.is_empty() && error.line == program.expected.line && error.says.contains(says)
            });
            found.retain(|error| !error.code.is_empty());
            if is_said {
                found.push(program.expected.clone());
            }
        } else {
            found.retain(|error| !error.code.is_empty());
        }
        let rendered: String = found.iter().map(|error| error.rendered.as_str()).collect();
        for text in program.says.iter().filter(|text| !rendered.contains(*text)) {
            wrong.push(format!("{}: does not say {text:?}: {rendered}", program.name));
        }
        for error in &mut found {
            (error.says, error.rendered) = Default::default();
        }
        if found != [program.expected.clone()] {
            wrong.push(format!("{}: expected {:?}, reported {found:?}", program.name, program.expected));
        }
        let twin = format!("{}_twin", program.name);
        if !built.contains(&twin) {
            wrong.push(format!("{twin}: not built, reported {:?}", reported.get(&twin)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    programs.len()
}

fn programs(folder: &Path) -> Vec<Program> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| program(&path)).collect()
}

fn program(path: &Path) -> Program {
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let is_marked =
        |line: &str| line.contains("//~ ") && !line.contains("//~ twin:") && !line.contains("//~ says:");
    let marked: Vec<usize> = (0..lines.len()).filter(|&line| is_marked(lines[line])).collect();
    let [line] = marked[..] else { panic!("{}: one marked line", path.display()) };
    let code = lines[line].split("//~ ").nth(1).unwrap().trim().to_owned();
    let twin = lines.get(line + 1).and_then(|next| next.trim().strip_prefix("//~ twin:"));
    let twin = twin.unwrap_or_else(|| panic!("{}: a twin below the marked line", path.display()));
    let mut replaced = lines.clone();
    replaced[line] = twin;
    Program {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        expected: Reported { code, line: line + 1, ..Reported::default() },
        says: lines.iter().filter_map(|line| Some(line.split_once("//~ says: ")?.1.to_owned())).collect(),
        twin: replaced.join("\n"),
        text,
    }
}

/// A package of its own beside the build's other results, with the versions of this workspace.
fn package(folder: &Path, dependencies: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let name = folder.file_name().unwrap().to_str().unwrap();
    let build = env::current_exe().unwrap().parent().unwrap().join("must_not_compile");
    let package = build.join(name);
    let _absent = fs::remove_dir_all(package.join("src"));
    fs::create_dir_all(package.join("src/bin")).unwrap();
    let dependencies = dependencies.replace("{root}", root.to_str().unwrap());
    let manifest = format!(
        "[package]\nname = \"{name}-must-not-compile\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [workspace]\n[dependencies]\n{dependencies}\n"
    );
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    package
}

/// The programs that were built, and the errors of the others.
fn check(package: &Path) -> (BTreeSet<String>, BTreeMap<String, Vec<Reported>>) {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--offline", "--quiet", "--bins", "--keep-going", "--message-format=json"])
        .current_dir(package)
        .env("CARGO_TARGET_DIR", package.parent().unwrap().join("target"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let mut reported: BTreeMap<String, Vec<Reported>> = BTreeMap::new();
    let mut built = BTreeSet::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let message = json::parse(line);
        if message.text("reason") == "compiler-artifact" {
            built.insert(message.at("target").text("name").to_owned());
        }
        if message.text("reason") != "compiler-message" || message.at("message").text("level") != "error" {
            continue;
        }
        let error = message.at("message");
        let Some(span) = error.at("spans").items().find(|span| span.is("is_primary")) else { continue };
        reported.entry(message.at("target").text("name").to_owned()).or_default().push(Reported {
            code: error.at("code").text("code").to_owned(),
            line: span.number("line_start"),
            says: error.text("message").to_owned(),
            rendered: error.text("rendered").to_owned(),
        });
    }
    assert!(!built.is_empty(), "nothing was built: {}", String::from_utf8_lossy(&output.stderr));
    (built, reported)
}

mod json;
