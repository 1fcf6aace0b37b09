# `just check` is exactly what CI runs.
check:
    bash .ci/run

# Coverage and false alarms of every interval and test, in full (minutes to hours).
calibrate:
    cargo run --release -p proving -- calibrate --out docs/src/statistics

# The main job.
demo:
    cargo run --release -- demo

# The book, as pages (needs mdbook: cargo install mdbook --locked).
book:
    mdbook build docs

# Every decoder and parser under fuzzing, a minute each (CONTRIBUTING.md says what that needs).
fuzz *targets:
    bash fuzz/run {{targets}}
