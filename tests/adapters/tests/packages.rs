//! What is published with each crate: it is whole without the repository.

use std::path::Path;
use std::process::Command;

#[test]
fn each_package_has_its_licences_and_its_readme() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    for (name, folder) in
        [("endwell-core", "core"), ("endwell", "adapters"), ("endwell-nats", "adapters/nats")]
    {
        let list = Command::new(env!("CARGO"))
            .args(["package", "--list", "--allow-dirty", "--offline", "--package", name])
            .current_dir(root.join(folder))
            .output()
            .unwrap();
        let listed = String::from_utf8(list.stdout).unwrap();
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            assert!(listed.lines().any(|file| file == licence), "{name} lacks {licence}: {listed}");
            let read = |path: &Path| std::fs::read_to_string(path.join(licence)).unwrap();
            assert_eq!(read(&root.join(folder)), read(root), "{name}");
        }
        assert!(listed.lines().any(|file| file == "README.md"), "{name}: {listed}");
    }
}
