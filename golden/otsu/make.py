"""Otsu's threshold by scikit-image, on floating images."""

import json
from pathlib import Path

import numpy as np
import skimage
from skimage.filters import threshold_otsu

SEED = 20271
rng = np.random.default_rng(SEED)


def field(size, share, low, high, noise):
    rows, columns = np.mgrid[0:size, 0:size]
    image = np.full((size, size), low)
    for _ in range(share):
        r, c, radius = rng.uniform(0, size, 2).tolist() + [rng.uniform(2, 6)]
        image[np.hypot(rows - r, columns - c) < radius] = high
    return (image + rng.normal(0, noise, image.shape)).astype(np.float32)


cases = {
    "two levels": field(40, 6, 0.2, 0.8, 0.05),
    "much noise": field(40, 8, 0.3, 0.5, 0.1),
    "bright ground": 1 - field(40, 5, 0.1, 0.7, 0.04),
    "large values": (field(32, 5, 300, 4000, 120)).round().astype(np.float32),
    "skewed": rng.gamma(1.2, 2.0, (48, 48)).astype(np.float32),
    "two values": rng.choice([0.25, 0.75], (16, 16)).astype(np.float32),
    "few values": rng.integers(0, 9, (16, 16)).astype(np.float32),
    "uniform": rng.uniform(-3, 5, (30, 30)).astype(np.float32),
}
values = [
    {
        "name": name,
        "image": [float(v) for v in image.ravel()],
        # In 64 bits, so that the histogram's edges are the numbers that they are said to be.
        "threshold": float(threshold_otsu(image.astype(np.float64))),
    }
    for name, image in cases.items()
]
(Path(__file__).parent / "values.json").write_text(json.dumps({"cases": values}))
print(skimage.__version__, np.__version__)
