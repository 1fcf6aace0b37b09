"""Golden values of selective risk: the average over random orders of tied rows, by brute force over all orders."""
import itertools
import json
import pathlib
import numpy as np

rng = np.random.default_rng(20265)
out = []
for n, levels in ((5, 2), (6, 3), (7, 4)):
    confidence = rng.integers(0, levels, n) / levels
    loss = rng.uniform(size=n).round(3)
    curves, augrcs = [], []
    for order in itertools.permutations(range(n)):
        if all(confidence[a] >= confidence[b] for a, b in zip(order, order[1:])):
            total = np.cumsum(loss[list(order)])
            curves.append(total / np.arange(1, n + 1))
            augrcs.append(np.trapezoid(np.r_[0, total] / n, np.arange(n + 1) / n))
    risk = np.mean(curves, axis=0)
    out.append({
        "confidence": confidence.tolist(), "loss": loss.tolist(), "risk": risk.tolist(),
        "aurc": float(risk.mean()), "augrc": float(np.mean(augrcs)),
    })
pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(out, indent=1) + "\n")
