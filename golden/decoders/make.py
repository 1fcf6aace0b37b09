"""Samples of real files as tifffile, Pillow and NumPy read them, for transect-image.

Run from the repository root:  python golden/decoders/make.py
Arrays are turned into (channel, plane, row, column) float32 and hashed as little-endian bytes; labels are hashed as
uint32. Only hashes, shapes and a few JPEG probes are kept: the pixels stay in ../shared.
"""

import hashlib
import json
import pathlib

import numpy as np
import tifffile
from PIL import Image

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
HERE = pathlib.Path(__file__).resolve().parent


def spread(folder, pattern, count):
    """`count` files of a folder, evenly spread over the sorted names."""
    files = sorted((SHARED / folder).glob(pattern))
    return [files[i * len(files) // count] for i in range(count)]


def sha(array, dtype):
    return hashlib.sha256(np.ascontiguousarray(array, dtype=dtype).tobytes()).hexdigest()


def name(path):
    return str(path.relative_to(SHARED))


def channels_first(array):
    """(row, column) or (row, column, channel) to (channel, plane, row, column)."""
    if array.ndim == 2:
        return array[None, None]
    return np.moveaxis(array, -1, 0)[:, None]


def entry(path, array, page=None):
    return {"file": name(path), "page": page, "shape": list(array.shape), "dtype": str(array.dtype.newbyteorder("=")),
            "sha256": sha(array, "<f4")}


images, labels, jpeg = [], [], []

for path in spread("data/wbc2domain/images", "*.png", 4) + spread("data/dsb2018/images", "*.png", 8):
    images.append(entry(path, channels_first(np.asarray(Image.open(path)))))

for path in spread("data/multichannel/imc_pancreas", "*_imc.tiff", 2):
    with tifffile.TiffFile(path) as tiff:
        for page in range(len(tiff.pages)):
            images.append(entry(path, channels_first(tiff.pages[page].asarray()), page))

path = SHARED / "data/odd_formats/ome_tiff/multi-channel-z-series.ome.tif"
with tifffile.TiffFile(path) as tiff:
    for page in (0, 7, 14):
        images.append(entry(path, channels_first(tiff.pages[page].asarray()), page))

for file in ("12bit.cropped.tif", "hopper_bigtiff.tif", "predictor-3-gray-f32.tif", "random-fp16-pred3.tiff",
             "seq-1c-12b-47c39b31.tiff", "seq-1c-16b-bigendian-68f373a0.tiff",
             "seq-1c-64f-deflate-fpredict-afa8560e.tiff", "seq-1c-8b-tiled-bigtiff-20f3db0c.tiff",
             "seq-1c-i16-63af2488.tiff", "tiled-oversize-gray-i8.tif"):
    path = SHARED / "data/odd_formats/tiff" / file
    images.append(entry(path, channels_first(tifffile.imread(path))))
path = SHARED / "data/odd_formats/tiff/tiff_strip_planar_16bit_RGB.tiff"
images.append(entry(path, tifffile.imread(path)[:, None]))

for path in spread("data/tracking/t98g_phase/01", "*.tif", 2):
    images.append(entry(path, channels_first(tifffile.imread(path))))

for path in spread("data/wbc2domain/masks", "*.png", 2) + spread("data/dsb2018/labels", "*.png", 4):
    array = np.asarray(Image.open(path))
    labels.append({"file": name(path), "shape": list(array.shape), "sha256": sha(array, "<u4")})
for path in (spread("data/multichannel/imc_pancreas", "*_mask.tiff", 2) + spread("data/tracking/epidermis_paw/01_GT/TRA", "*.tif", 2)
             + spread("data/tracking/hela_traccuracy/01_RES", "*.tif", 2)):
    array = tifffile.imread(path)
    labels.append({"file": name(path), "shape": list(array.shape), "sha256": sha(array, "<u4")})

# Every file of whole folders: one hash over the hashes, in the order of the names.
folders = []
for folder, labelled in (("data/dsb2018/images", False), ("data/dsb2018/labels", True), ("data/wbc2domain/images", False),
                         ("data/wbc2domain/masks", True), ("data/tracking/t98g_phase/01", False)):
    together, files = hashlib.sha256(), sorted((SHARED / folder).iterdir())
    for path in files:
        array = tifffile.imread(path) if path.suffix == ".tif" else np.asarray(Image.open(path))
        array = array if labelled else channels_first(array)
        together.update(sha(array, "<u4" if labelled else "<f4").encode())
    folders.append({"folder": folder, "labels": labelled, "files": len(files), "sha256": together.hexdigest()})

random = np.random.default_rng(2)
for path in spread("data/txl_pbc/images", "*.jpg", 6):
    array = channels_first(np.asarray(Image.open(path)))
    probes = []
    for _ in range(40):
        at = [int(random.integers(n)) for n in (array.shape[0], array.shape[2], array.shape[3])]
        probes.append([*at, int(array[at[0], 0, at[1], at[2]])])
    jpeg.append({"file": name(path), "shape": list(array.shape), "mean": array.mean(axis=(1, 2, 3)).tolist(), "probes": probes})

(HERE / "values.json").write_text(json.dumps({"images": images, "labels": labels, "folders": folders, "jpeg": jpeg}, indent=1) + "\n")
print(len(images), "images,", len(labels), "label images,", sum(f["files"] for f in folders), "files of whole folders,", len(jpeg), "JPEGs")
