//! The fuzz targets over their seed corpus, so that neither grows stale, and over every beginning of each seed. What
//! fuzzing found is a test beside the code that it was found in.

use std::fs;
use std::path::Path;

#[path = "../../../../fuzz/src/targets.rs"]
#[expect(unreachable_pub, reason = "the same file is a library of its own")]
mod targets;

#[test]
fn every_target_takes_its_seeds_and_their_beginnings() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut seeds = 0;
    for (name, target) in targets::TARGETS {
        assert!(
            fuzz.join(format!("fuzz_targets/{name}.rs")).is_file(),
            "{name}"
        );
        let mut files: Vec<_> = fs::read_dir(fuzz.join("corpus").join(name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(files.len() >= 2, "{name} has {} seeds", files.len());
        for file in files {
            let bytes = fs::read(&file).unwrap();
            assert!(bytes.len() <= 8192, "{} is large", file.display());
            target(&bytes);
            for cut in 1..8 {
                target(&bytes[..bytes.len() * cut / 8]);
            }
            seeds += 1;
        }
    }
    assert!(seeds > 80, "only {seeds} seeds");
    let folders = fs::read_dir(fuzz.join("corpus")).unwrap().count();
    assert_eq!(folders, targets::TARGETS.len(), "a folder without a target");
}
