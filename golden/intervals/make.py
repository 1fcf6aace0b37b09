"""Golden values of intervals: exact ones from SciPy, BCa from scipy.stats.bootstrap."""
import json
import pathlib
import numpy as np
from scipy import stats

rng = np.random.default_rng(20262)
out = {"binomial": [], "bca": []}
for n in (1, 5, 20, 59, 200):
    for x in sorted({0, 1, n // 3, n - 1, n}):
        for level in (0.9, 0.95, 0.99):
            made = stats.binomtest(x, n)
            row = {"x": x, "n": n, "level": level}
            for name, method in (("clopper_pearson", "exact"), ("wilson", "wilson")):
                ci = made.proportion_ci(level, method=method)
                row[name] = [ci.low, ci.high]
            out["binomial"].append(row)
for name, values in (
    ("normal", rng.normal(size=60)),
    ("exponential", rng.exponential(size=80)),
    ("lognormal", rng.lognormal(sigma=0.8, size=120)),
):
    made = stats.bootstrap((values,), np.mean, n_resamples=400_000, batch=20_000, method="BCa", random_state=rng)
    out["bca"].append({
        "name": name,
        "values": values.tolist(),
        "interval": list(made.confidence_interval),
        "se_of_draws": made.standard_error,
    })
pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(out, indent=1) + "\n")
