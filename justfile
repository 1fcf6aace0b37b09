# `just check` is exactly what CI runs.
check:
    bash .ci/run

# Coverage and false alarms of every interval and test, in full (minutes to hours).
calibrate:
    cargo run --release -p proving -- calibrate --out docs/src/statistics

# The main job.
demo:
    cargo run --release -- demo
