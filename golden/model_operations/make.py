"""Values of the operations before and after a model, from NumPy's percentiles, means and deviations."""
import json
import numpy as np

rng = np.random.default_rng(20260101)
x = np.round(rng.gamma(2.0, 30.0, size=(3, 1, 5, 7))).astype(np.float32)
y = np.round(rng.normal(0.0, 2.0, size=(3, 1, 5, 7)), 3).astype(np.float32)
names = ["channel", "z", "y", "x"]


def axes(spec):
    return tuple(names.index(a) for a in spec)


def lo_hi(a, spec, lo, hi, method):
    ax = axes(spec) if spec is not None else None
    return [np.percentile(a.astype(np.float64), q, axis=ax, keepdims=True, method=method) for q in (lo, hi)]


cases = []


def case(name, operation, data, result, reference=None):
    cases.append({
        "name": name, "operation": operation, "shape": list(data.shape), "data": data.ravel().tolist(),
        "reference": None if reference is None else reference.ravel().tolist(),
        "result": np.asarray(result, np.float64).ravel().tolist(),
    })


for spec in (["y", "x"], ["channel", "y", "x"], ["channel"], ["x"], None):
    kw = {} if spec is None else {"axes": spec}
    ax = axes(spec) if spec is not None else None
    d = x.astype(np.float64)
    label = "all" if spec is None else "".join(a[0] for a in spec)
    case(f"zero_mean_unit_variance {label}", {"id": "zero_mean_unit_variance", "kwargs": {**kw, "eps": 1e-3}}, x,
         (d - d.mean(axis=ax, keepdims=True)) / (d.std(axis=ax, keepdims=True) + 1e-3))
    lo, hi = lo_hi(x, spec, 1, 99.8, "linear")
    case(f"scale_range {label}", {"id": "scale_range", "kwargs": {**kw, "min_percentile": 1, "max_percentile": 99.8, "eps": 1e-3}}, x,
         (d - lo) / (hi - lo + 1e-3))
    lo, hi = lo_hi(x, spec, 5, 90, "inverted_cdf")
    case(f"clip percentiles {label}", {"id": "clip", "kwargs": {**kw, "min_percentile": 5, "max_percentile": 90}}, x, np.clip(d, lo, hi))
d = y.astype(np.float64)
case("clip values", {"id": "clip", "kwargs": {"min": -1.0, "max": 0.5}}, y, np.clip(d, -1.0, 0.5))
case("sigmoid", {"id": "sigmoid"}, y, 1 / (1 + np.exp(-d)))
e = np.exp(d - d.max(axis=0, keepdims=True))
case("softmax channel", {"id": "softmax", "kwargs": {"axis": "channel"}}, y, e / e.sum(axis=0, keepdims=True))
e = np.exp(d - d.max(axis=3, keepdims=True))
case("softmax x", {"id": "softmax", "kwargs": {"axis": "x"}}, y, e / e.sum(axis=3, keepdims=True))
case("binarize", {"id": "binarize", "kwargs": {"threshold": 0.25}}, y, (d > 0.25))
t = np.array([-0.5, 0.0, 0.5])
case("binarize along channel", {"id": "binarize", "kwargs": {"threshold": t.tolist(), "axis": "channel"}}, y, d > t[:, None, None, None])
g, o = np.array([0.5, 2.0, -1.0]), np.array([1.0, 0.0, 3.0])
case("scale_linear along channel", {"id": "scale_linear", "kwargs": {"gain": g.tolist(), "offset": o.tolist(), "axis": "channel"}}, y,
     d * g[:, None, None, None] + o[:, None, None, None])
m, s = np.array([0.1, 0.2, 0.3]), np.array([0.5, 1.5, 2.5])
case("fixed_zero_mean_unit_variance", {"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": m.tolist(), "std": s.tolist(), "axis": "channel"}}, y,
     (d - m[:, None, None, None]) / s[:, None, None, None])
lo, hi = lo_hi(x, ["channel", "y", "x"], 2, 98, "linear")
case("scale_range of the input", {"id": "scale_range", "kwargs": {"axes": ["channel", "y", "x"], "min_percentile": 2, "max_percentile": 98, "reference_tensor": "image"}},
     y, (d - lo) / (hi - lo + 1e-6), x)
r = x.astype(np.float64)
a = (2, 3)
case("scale_mean_variance", {"id": "scale_mean_variance", "kwargs": {"axes": ["y", "x"], "reference_tensor": "image"}}, y,
     (d - d.mean(axis=a, keepdims=True)) / (d.std(axis=a, keepdims=True) + 1e-6) * (r.std(axis=a, keepdims=True) + 1e-6) + r.mean(axis=a, keepdims=True), x)

json.dump({"cases": cases}, open("values.json", "w"))
