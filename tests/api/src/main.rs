//! Compares the public API of the published crates, with all features, to its baseline in `docs/api`, so that no item comes,
//! goes or changes without a word. `--write` writes the baseline. It needs a nightly Rust, whose rustdoc writes JSON, in a
//! form that this program knows: otherwise it exits with 2.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use regex::Regex;

/// The directories of the published crates, and the names of the crates.
const CRATES: [(&str, &str); 2] = [("core", "endwell-core"), ("adapters", "endwell")];

fn main() -> ExitCode {
    compare().unwrap_or_else(|error| {
        eprintln!("the public API cannot be read: {error}");
        ExitCode::from(2)
    })
}

fn compare() -> Result<ExitCode, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let writes = std::env::args().any(|argument| argument == "--write");
    let mut differs = false;
    for (directory, name) in CRATES {
        let now = public_items(&root.join(directory).join("Cargo.toml"))?;
        let baseline = root.join("docs/api").join(format!("{name}.txt"));
        if writes {
            std::fs::write(&baseline, now.iter().map(|item| format!("{item}\n")).collect::<String>())?;
        } else {
            differs |= tell_differences(name, &std::fs::read_to_string(&baseline)?, &now);
        }
        println!("{name}: {} items", now.len());
    }
    if differs {
        println!("`tests/api/check --write` writes the baseline. CHANGELOG.md says what changed for users.");
    }
    Ok(if differs { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The items, a line each, in the order of their names.
fn public_items(manifest: &Path) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let json = rustdoc_json::Builder::default()
        .toolchain("nightly")
        .manifest_path(manifest)
        .all_features(true)
        .quiet(true)
        .target_dir(std::path::absolute(target)?.join("api"))
        .build()?;
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?;
    // In which module another crate keeps a type is its own matter, and changes with its versions.
    let elsewhere = Regex::new(r"\b([a-z_0-9]+)::(?:[a-z_0-9]+::)+([A-Z])")?;
    let line = |item: String| {
        let shortened = elsewhere.replace_all(&item, |path: &regex::Captures<'_>| match &path[1] {
            "endwell" | "endwell_core" => path[0].to_owned(),
            other => format!("{other}::{}", &path[2]),
        });
        shortened.into_owned()
    };
    Ok(api.items().map(|item| line(item.to_string())).collect())
}

/// Prints what is only in one of them. True if anything is.
fn tell_differences(name: &str, baseline: &str, now: &BTreeSet<String>) -> bool {
    let baseline: BTreeSet<_> = baseline.lines().map(str::to_owned).collect();
    for gone in baseline.difference(now) {
        println!("{name}: - {gone}");
    }
    for new in now.difference(&baseline) {
        println!("{name}: + {new}");
    }
    baseline != *now
}
