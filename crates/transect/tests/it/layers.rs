//! A crate depends only on crates above it in ARCHITECTURE.md, and pure crates reach for nothing outside.

use std::fs;
use std::path::Path;

#[test]
fn crates_depend_only_on_crates_above_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let architecture = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let order: Vec<&str> = architecture
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| root.join("crates").join(name).is_dir())
        .collect();
    let mut folders: Vec<String> = fs::read_dir(root.join("crates"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut named: Vec<String> = order.iter().map(|s| (*s).to_owned()).collect();
    named.sort();
    assert_eq!(folders, named, "ARCHITECTURE.md lists every crate once");
    for (place, name) in order.iter().enumerate() {
        let manifest =
            fs::read_to_string(root.join("crates").join(name).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies
            .split("[dev-dependencies]")
            .next()
            .unwrap_or_default();
        for below in &order[place..] {
            let used = dependencies.lines().any(|line| {
                line.strip_prefix(below)
                    .is_some_and(|rest| rest.starts_with([' ', '.', '=']))
            });
            assert!(!used, "{name} depends on {below}, which is not above it");
        }
    }
}

#[test]
fn pure_crates_touch_no_file_clock_network_or_hash_order() {
    const PURE: [&str; 7] = [
        "core", "stats", "image", "optics", "score", "anatomy", "report",
    ];
    const OUTSIDE: [&str; 10] = [
        "std::fs",
        "std::env",
        "std::io::std",
        "std::net",
        "std::process",
        "Instant",
        "SystemTime",
        "HashMap",
        "HashSet",
        "RandomState",
    ];
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for name in PURE {
        let mut folders = vec![crates.join(format!("transect-{name}/src"))];
        let mut read = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    read += 1;
                    let code = fs::read_to_string(&path).unwrap();
                    for (number, line) in code.lines().enumerate() {
                        for outside in OUTSIDE {
                            assert!(
                                line.trim_start().starts_with("//") || !line.contains(outside),
                                "{}:{}: {outside}",
                                path.display(),
                                number + 1
                            );
                        }
                    }
                }
            }
        }
        assert!(read > 0, "transect-{name} has no source");
    }
}
