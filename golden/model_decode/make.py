"""Watershed, components and distances of real predictions, from scikit-image and SciPy.

The maps are crops of what nuclei_unet_fluo gives for three images of dsb2018, rounded to thousandths.
"""
import json
import sys
import numpy as np
import onnxruntime as ort
from PIL import Image
from scipy import ndimage
from skimage.measure import label
from skimage.segmentation import watershed

shared = sys.argv[1] if len(sys.argv) > 1 else "../../../shared"
session = ort.InferenceSession(f"{shared}/models/nuclei_unet_fluo/weights.onnx")
cases = []


def runs(array):
    """Value, length, value, length, ... of a flattened array."""
    flat = array.ravel()
    cuts = np.flatnonzero(np.diff(flat)) + 1
    starts = np.concatenate([[0], cuts])
    lengths = np.diff(np.concatenate([starts, [flat.size]]))
    return np.stack([flat[starts], lengths], axis=1).ravel().tolist()


for name, size in [("00071198d059", 72), ("03f583ec5018", 72), ("1bd0f2b3000b", 64)]:
    image = np.array(Image.open(f"{shared}/data/dsb2018/images/{name}.png")).astype(np.float64)
    if image.ndim == 3:
        image = image[..., :3] @ np.array([0.299, 0.587, 0.114])
    low, high = np.percentile(image, [1, 99.8])
    image = (image - low) / (high - low + 1e-3)
    pad = [(0, -n % 8) for n in image.shape]
    out = session.run(None, {session.get_inputs()[0].name: np.pad(image, pad, mode="symmetric")[None, None].astype(np.float32)})[0][0]
    # The window with the most touching objects: components of the interior less components of the foreground.
    places = [(t, c) for t in range(0, image.shape[0] - size, 16) for c in range(0, image.shape[1] - size, 16)]

    def touching(place):
        window = out[:, place[0]:place[0] + size, place[1]:place[1] + size]
        return ndimage.label(window[1] > 0.5)[1] - ndimage.label(1 - window[0] > 0.5)[1]

    top, left = max(places, key=touching)
    out = out[:, top:top + size, left:left + size]
    interior = np.round(out[1] * 1000).astype(int)
    foreground = np.round((1 - out[0]) * 1000).astype(int)
    seeds, mask = interior > 500, foreground > 500
    markers, count = ndimage.label(seeds)
    flooded = watershed(-foreground, markers, mask=mask)
    squared = np.round(ndimage.distance_transform_edt(mask) ** 2).astype(int)
    cases.append({"image": name, "shape": list(mask.shape), "interior": interior.ravel().tolist(), "foreground": foreground.ravel().tolist(),
                  "components_4": runs(ndimage.label(mask)[0]), "components_8": runs(label(mask, connectivity=2)),
                  "markers": runs(markers), "watershed": runs(flooded), "distance_squared": runs(squared), "objects": int(count)})
json.dump({"cases": cases}, open("values.json", "w"))
