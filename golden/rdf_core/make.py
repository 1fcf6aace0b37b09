"""What the reference runner feeds: preprocessing chains of a description, run by bioimageio.core itself."""
import json
from types import SimpleNamespace

import numpy as np
from bioimageio.core import Sample, Tensor
from bioimageio.core.proc_setup import get_pre_and_postprocessing
from bioimageio.spec.model import v0_5

rng = np.random.default_rng(20261122)
DIMS = ("batch", "channel", "y", "x")
x = np.round(rng.gamma(2.0, 30.0, size=(1, 3, 9, 11))).astype(np.float32)
y = np.round(rng.normal(0.0, 2.0, size=(1, 3, 9, 11)), 3).astype(np.float32)


def axes(sized):
    channel = v0_5.ChannelAxis(channel_names=["a", "b", "c"])
    space = sized
    return [v0_5.BatchAxis(), channel, space(id="y", size=9), space(id="x", size=11)]


def described(before, after):
    test = {"source": "https://example.org/test.npy"}
    source = v0_5.InputTensorDescr.model_construct(
        id="image", axes=axes(v0_5.SpaceInputAxis), test_tensor=test, data=None, optional=False,
        preprocessing=[make(o) for o in before])
    result = v0_5.OutputTensorDescr.model_construct(
        id="maps", axes=axes(v0_5.SpaceOutputAxis), test_tensor=test, data=None,
        postprocessing=[make(o) for o in after])
    return SimpleNamespace(inputs=[source], outputs=[result])


CLASSES = {
    "binarize": v0_5.BinarizeDescr, "clip": v0_5.ClipDescr, "ensure_dtype": v0_5.EnsureDtypeDescr,
    "scale_linear": v0_5.ScaleLinearDescr, "sigmoid": v0_5.SigmoidDescr, "softmax": v0_5.SoftmaxDescr,
    "fixed_zero_mean_unit_variance": v0_5.FixedZeroMeanUnitVarianceDescr,
    "zero_mean_unit_variance": v0_5.ZeroMeanUnitVarianceDescr, "scale_range": v0_5.ScaleRangeDescr,
    "scale_mean_variance": v0_5.ScaleMeanVarianceDescr,
}


def make(operation):
    return CLASSES[operation["id"]].model_validate(operation)


def run(before, after=()):
    pre, post = get_pre_and_postprocessing(described(before, after), dataset_for_initial_statistics=[])
    sample = Sample(members={"image": Tensor.from_numpy(x.copy(), dims=DIMS)}, stat={}, id="one")
    pre(sample)
    fed = np.asarray(sample.members["image"].data, np.float64)
    got = None
    if after:
        sample.members["maps"] = Tensor.from_numpy(y.copy(), dims=DIMS)
        post(sample)
        got = np.asarray(sample.members["maps"].data, np.float64)
    return fed, got


SPACE = ["y", "x"]
ALL = ["channel", "y", "x"]


def op(name, **kwargs):
    return {"id": name, "kwargs": kwargs} if kwargs else {"id": name}


CHAINS = {
    "eps of zero_mean_unit_variance": [op("zero_mean_unit_variance", axes=ALL, eps=0.1)],
    "eps of scale_range": [op("scale_range", axes=SPACE, min_percentile=1, max_percentile=99.8, eps=0.1)],
    "eps of fixed_zero_mean_unit_variance": [op("fixed_zero_mean_unit_variance", mean=[10.0, 20.0, 30.0], std=[0.01, 0.02, 0.5], axis="channel")],
    "statistics before scale_linear": [op("scale_linear", gain=0.5, offset=3.0), op("zero_mean_unit_variance", axes=SPACE)],
    "statistics before clip": [op("clip", min_percentile=5, max_percentile=90, axes=SPACE), op("scale_range", axes=ALL, min_percentile=0, max_percentile=100)],
    "statistics before both": [op("scale_range", axes=ALL, min_percentile=2, max_percentile=98), op("zero_mean_unit_variance", axes=SPACE)],
    "clip of percentiles after a gain": [op("scale_linear", gain=[0.5, 2.0, 1.0], offset=[1.0, 0.0, -3.0], axis="channel"), op("clip", min_percentile=5, max_percentile=90, axes=ALL)],
    "nothing that deviates": [op("clip", min=5.0, max=100.0), op("scale_linear", gain=0.01, offset=-0.5), op("sigmoid")],
}
AFTER = {
    "scale_range by the input": [op("scale_range", axes=SPACE, min_percentile=2, max_percentile=98, eps=0.1, reference_tensor="image")],
    "binarize": [op("binarize", threshold=0.25)],
}

# What cannot be had for one image by itself, or not at all.
REFUSED = {
    "no axes": ([op("zero_mean_unit_variance")], []),
    "no axes, range": ([op("scale_range", min_percentile=1, max_percentile=99)], []),
    "no axes, clip": ([op("clip", max_percentile=90)], []),
    "the batch among the axes": ([op("zero_mean_unit_variance", axes=["batch", "y", "x"])], []),
    "statistics of an output": ([], [op("scale_mean_variance", axes=SPACE, reference_tensor="image")]),
    "percentiles of an output": ([], [op("scale_range", axes=SPACE)]),
    "thresholds along an axis": ([], [op("binarize", threshold=[0.1, 0.2, 0.3], axis="channel")]),
}


def refused(before, after):
    """Whether the image is fed otherwise when another one came first; or the error."""
    def fed(images):
        pre, post = get_pre_and_postprocessing(described(before, after), dataset_for_initial_statistics=[])
        for index, image in enumerate(images):
            sample = Sample(members={"image": Tensor.from_numpy(image.copy(), dims=DIMS)}, stat={}, id=str(index))
            pre(sample)
            sample.members["maps"] = Tensor.from_numpy(y.copy(), dims=DIMS)
            post(sample)
        return np.asarray(sample.members["image"].data, np.float64)
    try:
        return "depends on other images" if np.abs(fed([x]) - fed([3 * x + 5, x])).max() > 1e-3 else "runs"
    except Exception as error:  # whatever it is, it is what a user gets
        return f"stops: {type(error).__name__}"


if __name__ == "__main__":
    cases = []
    for name, chain in CHAINS.items():
        fed, _ = run(chain)
        cases.append({"name": name, "before": chain, "after": None, "shape": [3, 1, 9, 11],
                      "data": x.ravel().tolist(), "result": fed.ravel().tolist()})
    for name, chain in AFTER.items():
        _, got = run([op("scale_linear", gain=0.5, offset=1.0)], chain)
        cases.append({"name": name, "before": [], "after": chain, "shape": [3, 1, 9, 11],
                      "data": y.ravel().tolist(), "input": x.ravel().tolist(), "result": got.ravel().tolist()})
    refusals = []
    for name, (before, after) in REFUSED.items():
        refusals.append({"name": name, "operations": before or after, "after": bool(after), "runner": refused(before, after)})
    json.dump({"cases": cases, "refused": refusals}, open("values.json", "w"))
