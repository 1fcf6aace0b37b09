"""Outlines drawn by pycocotools, and regions of ImageJ read by roifile."""

import base64
import io
import json
import pathlib
import zipfile

import numpy
import roifile
from pycocotools import mask

HERE = pathlib.Path(__file__).parent
ROWS, COLUMNS = 37, 53
random = numpy.random.default_rng(20271)


def star(n, spread):
    """A polygon around a random middle; not convex, partly outside of the image."""
    angle = numpy.sort(random.uniform(0, 2 * numpy.pi, n))
    radius = random.uniform(spread / 3, spread, n)
    x = random.uniform(0, COLUMNS) + radius * numpy.cos(angle)
    y = random.uniform(0, ROWS) + radius * numpy.sin(angle)
    return numpy.stack([x, y], 1)


def text(runs):
    return {"size": [int(s) for s in runs["size"]], "counts": runs["counts"].decode()}


def peer(polygons):
    flat = [numpy.asarray(p).ravel().tolist() for p in polygons]
    runs = mask.merge(mask.frPyObjects(flat, ROWS, COLUMNS))
    return text(runs)


polygons = []
for _ in range(40):
    points = star(int(random.integers(3, 12)), random.uniform(4, 20))
    # Inside of the image alone: pycocotools moves what lies outside to the border.
    points = numpy.clip(points, 1, [COLUMNS - 1, ROWS - 1])
    polygons.append([points.round(2).tolist()])
for _ in range(10):
    points = numpy.clip(star(5, 10).round(), 1, [COLUMNS - 1, ROWS - 1])
    polygons.append([points.tolist()])
polygons.append([[[10, 5], [30, 5], [30, 20], [10, 20]], [[25, 15], [40, 15], [40, 30], [25, 30]]])
polygons.append([[[3, 2], [9, 2], [9, 7], [3, 7]]])

masks = []
for share in [0.0, 0.02, 0.5, 0.98, 1.0]:
    for _ in range(3):
        m = numpy.asfortranarray((random.random((ROWS, COLUMNS)) < share).astype(numpy.uint8))
        runs = mask.encode(m)
        counts, value, run = [], 0, 0
        for v in m.ravel(order="F"):
            if v != value:
                counts.append(run)
                run, value = 0, v
            run += 1
        counts.append(run)
        assert (mask.decode(mask.frPyObjects({"size": [ROWS, COLUMNS], "counts": counts}, ROWS, COLUMNS)) == m).all()
        rows, columns = numpy.nonzero(m)
        masks.append({"runs": text(runs), "counts": counts, "area": int(mask.area(runs)),
                      "row_sum": int(rows.sum()), "column_sum": int(columns.sum())})
# Runs longer than one character, and lengths that differ by more than 2**15.
for size, box in [((700, 900), (3, 5, 600, 800)), ((1024, 1024), (0, 0, 1024, 1024)), ((4000, 300), (10, 7, 3900, 9))]:
    m = numpy.zeros(size, numpy.uint8)
    m[box[0]:box[0] + box[2], box[1]:box[1] + box[3]] = 1
    runs = mask.encode(numpy.asfortranarray(m))
    rows, columns = numpy.nonzero(m)
    masks.append({"runs": text(runs), "counts": None, "area": int(mask.area(runs)),
                  "row_sum": int(rows.sum()), "column_sum": int(columns.sum())})

regions = []


def region(name, roi):
    data = roi.tobytes()
    again = roifile.ImagejRoi.frombytes(data)
    out = {"name": name, "bytes": base64.b64encode(data).decode(), "position": again.position}
    kind = again.roitype
    if kind in (roifile.ROI_TYPE.RECT, roifile.ROI_TYPE.OVAL) and not again.composite:
        if again.subpixelrect:
            out["bounds"] = [again.yd, again.xd, again.yd + again.heightd, again.xd + again.widthd]
        else:
            out["bounds"] = [again.top, again.left, again.bottom, again.right]
    elif again.composite:
        out["rings"] = [numpy.asarray(c, float).tolist() for c in again.coordinates(multi=True)]
    else:
        out["rings"] = [numpy.asarray(again.coordinates(), float).tolist()]
    regions.append(out)


whole = [[4, 3], [20, 5], [25, 18], [12, 30], [5, 22]]
region("polygon", roifile.ImagejRoi.frompoints(numpy.array(whole, float), name="polygon"))
region("zelle ä", roifile.ImagejRoi.frompoints(numpy.array(whole, float) + 0.37, name="zelle ä"))
far = numpy.array(whole) + [40000, 100]
region("far", roifile.ImagejRoi.frompoints(far.astype(float), name="far"))
traced = roifile.ImagejRoi.frompoints(numpy.array(whole), name="traced", position=3)
traced.roitype = roifile.ROI_TYPE.TRACED
region("traced", traced)
for name, kind in [("rectangle", roifile.ROI_TYPE.RECT), ("oval", roifile.ROI_TYPE.OVAL)]:
    roi = roifile.ImagejRoi()
    roi.roitype = kind
    roi.version = 227
    roi.top, roi.left, roi.bottom, roi.right = 7, 11, 30, 42
    roi.name = name
    region(name, roi)
    roi = roifile.ImagejRoi.frombytes(roi.tobytes())
    roi.options |= roifile.ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    roi.xd, roi.yd, roi.widthd, roi.heightd = 10.25, 7.5, 20.5, 15.75
    roi.name = "fine " + name
    region(roi.name, roi)
composite = roifile.ImagejRoi()
composite.roitype = roifile.ROI_TYPE.RECT
composite.version = 227
composite.top, composite.left, composite.bottom, composite.right = 2, 3, 30, 40
composite.name = "composite"
lines = []
for ring in [[(3, 2), (40, 2), (40, 30), (3, 30)], [(10, 8), (10, 20), (25, 20), (25, 8)]]:
    lines += [0, *ring[0]]
    for point in ring[1:]:
        lines += [1, *point]
    lines += [4]
composite.shape_roi_size = len(lines)
composite.multi_coordinates = numpy.array(lines, numpy.float32)
region("composite", composite)

archive = io.BytesIO()
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
    for r in regions:
        if r["name"] not in ("far", "traced"):
            file.writestr(r["name"] + ".roi", base64.b64decode(r["bytes"]))
    file.writestr("notes.txt", "not a region")

json.dump({"rows": ROWS, "columns": COLUMNS,
           "polygons": [{"points": p, "runs": peer(p)} for p in polygons],
           "masks": masks, "regions": regions,
           "zip": base64.b64encode(archive.getvalue()).decode()},
          open(HERE / "values.json", "w"), indent=None, separators=(",", ":"))
