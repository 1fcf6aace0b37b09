"""Resized planes, from scikit-image's resize and block means."""
import json
import numpy as np
from skimage.transform import resize
from skimage.measure import block_reduce

rng = np.random.default_rng(20260102)
cases = []


def plane(rows, columns):
    field = rng.normal(size=(rows, columns)).cumsum(axis=0).cumsum(axis=1)
    field = 255 * (field - field.min()) / (np.ptp(field) + 1e-9)
    return np.round(field + rng.normal(0, 8, size=field.shape)).clip(0, 255).astype(np.float32)


for rows, columns, to in [(30, 41, (12, 12)), (61, 23, (24, 16)), (16, 16, (16, 9)), (9, 14, (20, 20)), (50, 50, (7, 60)), (5, 4, (3, 2)), (33, 1, (8, 3))]:
    image = plane(rows, columns)
    for anti in (True, False):
        out = resize(image.astype(np.float64), to, order=1, anti_aliasing=anti, preserve_range=True)
        cases.append({"method": "bilinear", "anti_alias": "gaussian" if anti else "none", "from": [rows, columns], "to": list(to),
                      "data": image.ravel().tolist(), "result": np.round(out, 8).ravel().tolist()})
image = plane(24, 36)
out = block_reduce(image.astype(np.float64), (4, 6), np.mean)
cases.append({"method": "area", "anti_alias": "none", "from": [24, 36], "to": [6, 6], "data": image.ravel().tolist(), "result": out.ravel().tolist()})
image = plane(24, 36)
out = resize(image, (10, 17), order=0, anti_aliasing=False, preserve_range=True)
cases.append({"method": "nearest", "anti_alias": "none", "from": [24, 36], "to": [10, 17], "data": image.ravel().tolist(), "result": out.astype(float).ravel().tolist()})
json.dump({"cases": cases}, open("values.json", "w"))
