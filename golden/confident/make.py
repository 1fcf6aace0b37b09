"""Suspicious labels from cleanlab."""
import json
import pathlib
import numpy as np
from cleanlab.filter import find_label_issues

rng = np.random.default_rng(20267)
out = []
for n, k, noise, sharp in ((60, 3, 0.15, 2.0), (120, 2, 0.1, 1.0), (150, 5, 0.2, 3.0)):
    truth = rng.integers(0, k, n)
    z = rng.normal(size=(n, k))
    z[np.arange(n), truth] += 2
    p = np.exp(sharp * z)
    p = (p / p.sum(1, keepdims=True)).round(9)
    p[:, -1] = 1 - p[:, :-1].sum(1)
    labels = np.where(rng.uniform(size=n) < noise, rng.integers(0, k, n), truth)
    issues = find_label_issues(labels, p, filter_by="confident_learning", return_indices_ranked_by="normalized_margin", n_jobs=1)
    out.append({"classes": k, "probabilities": p.ravel().tolist(), "labels": labels.tolist(), "issues": [int(i) for i in issues]})
pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(out) + "\n")
