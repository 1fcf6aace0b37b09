"""`transect audit` beside the usual Python packages, on the same images, model and engine: who spends what on all but inference.

Runs the peer (`audit_peer.py`) and transect in turn, and prints the seconds of each part and their ratio (over 1: transect is
faster). Run it on an idle machine: seconds of the parts are those of the wall clock inside each worker.

- *passes*: what the passes take beside inference, over the (row, view) pairs that both have: the image itself and five steps of
  each of nine corruptions. Peer: making the view, preparing, decoding, scoring. Transect: `total_s - inference_s` of
  `timings.parquet`, which also holds embeddings.
- *reading*: decoding files. Transect reads an image again for each stage.
- *attributes*: what an image says without a model. Transect's families of features, which the peer does not have, are a line of
  their own (*features*), counted in the last line only.
- *statistics*: intervals, tolerances, calibration. Transect: processor seconds of the same command on finished tables, so from
  start to page: all failure modes, opening the model and drawing the page too.

    python benches/peer/compare.py --transect target/release/transect --onnxruntime FOLDER --model MODEL_FOLDER \
        --manifest manifest.csv --truth class_name --where "domain = 'D2'" --modality brightfield --runs 3
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

import pandas as pd

HERE = pathlib.Path(__file__).parent

# The peer's nine ladders by their names here.
CORRUPTIONS = [
    "shot_noise",
    "read_noise",
    "defocus",
    "gain",
    "offset",
    "jpeg_quality",
    "uneven_illumination",
    "magnification",
    "stain_shift",
]


def processor_seconds(command):
    """User and system seconds of a command, which must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(arguments, out):
    """Seconds of the parts of an audit, and the views of an image that are counted."""
    command = [arguments.transect, "audit", "--model", arguments.model, "--data", arguments.manifest]
    command += ["--truth", arguments.truth, "--engine", "onnxruntime", "--out", str(out), "--jobs", str(arguments.jobs)]
    for option in ("where", "modality", "onnxruntime"):
        if getattr(arguments, option):
            command += [f"--{option}", getattr(arguments, option)]
    whole = processor_seconds(command)
    statistics_s = processor_seconds(command)
    timings = pd.read_parquet(out / "timings.parquet")
    measured = pd.read_parquet(out / "measurements.parquet", columns=["row", "model_id", "view_id", "view_kind", "view_name"])
    given = timings[timings.model_id == "given"]
    passes = given.merge(measured, on=["row", "model_id", "view_id"])
    passes = passes[(passes.view_kind == "identity") | (passes.view_kind == "corruption") & passes.view_name.isin(CORRUPTIONS)]
    once = timings[timings.model_id == "features"].groupby("view_id").total_s.sum()
    return len(passes), {
        "passes": (passes.total_s - passes.inference_s).sum(),
        "reading": once["read"] + given[given.view_id == "read"].total_s.sum(),
        "attributes": once["attributes"],
        "statistics": statistics_s,
        "features": once["features"],
        "inference": passes.inference_s.sum(),
        "whole": whole,
    }


def peer(arguments, views):
    """Seconds of the same parts of the peer, and its number of passes."""
    command = [sys.executable, str(HERE / "audit_peer.py"), "--model", f"{arguments.model}/weights.onnx"]
    command += ["--rdf", f"{arguments.model}/rdf.yaml", "--manifest", arguments.manifest, "--truth", arguments.truth]
    command += ["--where", arguments.where, "--views", str(views), "--processes", str(arguments.jobs)]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    part = said["everything_else_by_part_s"]
    return said["forward_passes"], {
        "passes": part["views"] + part["prepare"] + part["decode"] + part["score"],
        "reading": part["read"],
        "attributes": part["attributes"],
        "statistics": part["statistics"],
        "features": 0.0,
        "inference": said["inference_s"],
        "whole": said["everything_else_s"] + said["inference_s"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--transect", default="target/release/transect")
    parser.add_argument("--onnxruntime", default="", help="folder of the ONNX Runtime library")
    parser.add_argument("--model", required=True, help="folder with rdf.yaml and weights.onnx")
    parser.add_argument("--manifest", required=True)
    parser.add_argument("--truth", required=True)
    parser.add_argument("--where", default="")
    parser.add_argument("--modality", default="")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()

    both = {"peer": [], "transect": []}
    with tempfile.TemporaryDirectory() as folder:
        for run in range(arguments.runs):
            n, seconds = ours(arguments, pathlib.Path(folder) / str(run))
            both["transect"].append(seconds)
            images = pd.read_parquet(pathlib.Path(folder) / str(run) / "items.parquet", columns=["row"])
            views = 1 + 5 * len(CORRUPTIONS)
            passes, seconds = peer(arguments, views)
            both["peer"].append(seconds)
            print(f"run {run + 1}: {len(images)} images, {n} passes of transect, {passes} of the peer", file=sys.stderr)
    shared = ["passes", "reading", "attributes", "statistics"]
    for seconds in (s for side in both.values() for s in side):
        seconds["all"] = sum(seconds[p] for p in shared)
        seconds["all and features"] = seconds["all"] + seconds["features"]
    print(f"{'seconds, median of ' + str(arguments.runs):24}{'peer':>9}{'transect':>10}{'ratio':>8}")
    for name in [*shared, "all", "features", "all and features", "inference", "whole"]:
        a, b = (statistics.median(s[name] for s in both[side]) for side in ("peer", "transect"))
        print(f"{name:24}{a:9.2f}{b:10.2f}" + (f"{a / b:8.1f}" if a > 0 < b else ""))
    print("whole: of the peer the sum of its parts; of transect all processor seconds, with every mode that the peer lacks")


if __name__ == "__main__":
    main()
