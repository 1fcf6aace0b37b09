# `just check` is exactly what CI runs.
check:
    bash .ci/run

# The auditor audited: coverage and level of every interval and test, power and false alarms of every mode from simulated
# tables, whole audits of planted models from pixels; in full (hours), going on where it was stopped.
calibrate:
    #!/usr/bin/env bash
    missed=0
    for part in calibrate audits pixels; do
        cargo run --release -p proving -- $part --out docs/src/statistics || missed=1
    done
    exit $missed

# The main job.
demo:
    cargo run --release -- demo

# The book, as pages (needs mdbook: cargo install mdbook --locked).
book:
    mdbook build docs

# Every decoder and parser under fuzzing, a minute each (CONTRIBUTING.md says what that needs).
fuzz *targets:
    bash fuzz/run {{targets}}
