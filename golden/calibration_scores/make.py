"""Golden values of calibration: log loss and Brier from scikit-learn, temperature from SciPy's bounded minimiser."""
import json
import pathlib
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import brier_score_loss, log_loss

rng = np.random.default_rng(20264)
out = []
for n, k, sharp in ((30, 2, 0.5), (200, 3, 1.0), (300, 5, 3.0)):
    z = rng.normal(size=(n, k)) * 1.5
    y = np.array([rng.choice(k, p=p) for p in softmax(z, axis=1)])
    y[:k] = np.arange(k)
    p = softmax(z * sharp, axis=1)
    p /= p.sum(1, keepdims=True)
    f = lambda t: -log_softmax(np.log(p) / t, axis=1)[np.arange(n), y].mean()
    t = minimize_scalar(lambda u: f(np.exp(u)), bounds=(np.log(0.05), np.log(20)), method="bounded", options={"xatol": 1e-12})
    confidence, correct = p.max(1), p.argmax(1) == y
    order = np.argsort(confidence, kind="stable")
    edges = [i * n // 10 for i in range(11)]
    gaps = [abs((confidence[order[a:b]] - correct[order[a:b]]).sum()) for a, b in zip(edges, edges[1:])]
    onehot = np.eye(k)[y]
    out.append({
        "classes": k, "probabilities": p.ravel().tolist(), "truth": y.tolist(),
        "log_loss": log_loss(y, p, labels=np.arange(k)),
        "brier": float(((p - onehot) ** 2).sum(1).mean()),
        "brier_sklearn_binary": float(brier_score_loss(y, p[:, 1])) if k == 2 else None,
        "temperature": float(np.exp(t.x)), "loss_at_temperature": float(t.fun), "ece": float(sum(gaps) / n),
    })
pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(out) + "\n")
