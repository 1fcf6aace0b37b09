"""Writes the seed corpus: small files of every format that is read. Needs numpy, pillow, tifffile and onnx."""
import base64
import io
import json
from pathlib import Path

import numpy as np
import onnx
import tifffile
from onnx import TensorProto, helper
from PIL import Image

ROOT = Path(__file__).parent / "corpus"
ramp = np.arange(96, dtype=np.uint8).reshape(8, 12)
colour = np.stack([ramp, ramp[::-1], 255 - ramp], axis=-1)


def put(folder, name, data):
    path = ROOT / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def pil(array, form, mode=None, **how):
    out = io.BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(out, form, **how)
    return out.getvalue()


def tif(array, **how):
    out = io.BytesIO()
    tifffile.imwrite(out, array, datetime=False, software=False, **how)
    return out.getvalue()


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


images = {
    "grey8.png": pil(ramp, "PNG"), "grey16.png": pil(ramp.astype(np.uint16) * 600, "PNG"), "rgb.png": pil(colour, "PNG"),
    "palette.png": pil(colour, "PNG", "P"), "bit.png": pil(ramp, "PNG", "1"), "alpha.png": pil(ramp, "PNG", "LA"),
    "grey.jpg": pil(ramp, "JPEG", quality=70), "rgb.jpg": pil(colour, "JPEG", quality=70),
    "progressive.jpg": pil(colour, "JPEG", quality=70, progressive=True), "cmyk.jpg": pil(colour, "JPEG", "CMYK"),
}
tiffs = {
    "grey8.tif": tif(ramp), "grey16_be.tif": tif(ramp.astype(np.uint16) * 600, byteorder=">"),
    "float.tif": tif(ramp.astype(np.float32) / 7), "rgb.tif": tif(colour, photometric="rgb"),
    "planar.tif": tif(np.moveaxis(colour, -1, 0), photometric="rgb", planarconfig="separate"),
    "deflate.tif": tif(ramp, compression="zlib", predictor=True), "lzw.tif": pil(ramp, "TIFF", compression="tiff_lzw"),
    "packbits.tif": pil(ramp, "TIFF", compression="packbits"), "tiled.tif": tif(np.tile(ramp, (4, 2)), tile=(16, 16)),
    "pages.tif": tif(np.stack([ramp, ramp[::-1], ramp]), photometric="minisblack"), "big.tif": tif(ramp, bigtiff=True),
    "labels32.tif": tif((ramp // 20).astype(np.uint32)), "imagej.tif": tif(np.stack([ramp, ramp]), imagej=True),
    "bit.tif": pil(ramp, "TIFF", "1"), "palette.tif": pil(colour, "TIFF", "P"),
}
arrays = {
    "u1.npy": npy(ramp), "f4.npy": npy(ramp.astype(np.float32)), "f8_be.npy": npy(ramp.astype(">f8")), "bool.npy": npy(ramp > 40),
    "fortran.npy": npy(np.asfortranarray(ramp.astype(np.int32))), "volume.npy": npy(np.zeros((2, 3, 4, 5), np.uint16)),
    "scalar.npy": npy(np.float32(3)), "f2.npy": npy(ramp.astype(np.float16)),
}
for name, data in images.items():
    put("image", name, data)
for name, data in tiffs.items():
    put("tiff", name, data)
    put("image", name, data)
for name, data in arrays.items():
    put("npy", name, data)
    put("image", name, data)
for name in ("grey8.png", "grey16.png", "palette.png", "bit.png"):
    put("labels", name, images[name])
for name in ("grey8.tif", "labels32.tif", "pages.tif", "palette.tif"):
    put("labels", name, tiffs[name])
for name in ("u1.npy", "f4.npy", "bool.npy", "fortran.npy"):
    put("labels", name, arrays[name])

# What golden/formats/make.py wrote with other programs.
FORMATS = Path(__file__).parent.parent / "golden/formats/files"


def several(files):
    return b"".join(name.encode() + b"\n" + len(data).to_bytes(2, "little") + data for name, data in files)


for name in ("packbits_uint8.tif", "zstd_tiles.tif", "jpeg_grey.tif", "hyperstack.tif", "ome_tzcyx.ome.tif", "ome_pyramid.ome.tif", "shaped.tif"):
    put("tiff", name, (FORMATS / name).read_bytes())
for name in ("one.npz", "two.npz"):
    put("npz", name, (FORMATS / name).read_bytes())
for name in ("implicit.dcm", "big.dcm", "deflated.dcm", "rle.dcm", "rescale.dcm", "rgb_rle_1.dcm"):
    put("dicom", name, (FORMATS / name).read_bytes())
for name in ("bsq_uint16", "bil_float32", "bip_uint8"):
    data = (FORMATS / f"{name}.{name[:3]}").read_bytes()
    put("envi", f"{name}.set", several([("image.hdr", (FORMATS / f"{name}.hdr").read_bytes()), ("image.dat", data)]))
for store in ("v2_blosclz_1", "v2_lz4_2", "v2_zlib", "v3_gzip", "v3_sharded_start", "v3_transpose", "ome_zyx", "ome_absent"):
    root = FORMATS / f"{store}.zarr"
    files = sorted(f for f in root.rglob("*") if f.is_file())
    # The metadata and the first chunks: a set stays small.
    chunks = [f for f in files if not f.name.startswith((".z", "zarr"))][:6]
    kept = [f for f in files if f.name.startswith((".z", "zarr")) and f.name != ".zmetadata"] + chunks
    data = several([("image.zarr/" + f.relative_to(root).as_posix(), f.read_bytes()) for f in kept])
    if len(data) <= 8000:
        put("zarr", f"{store}.set", data)
with tifffile.TiffFile(FORMATS / "ome_tzcyx.ome.tif") as f:
    put("ome", "tifffile.xml", f.ome_metadata)
PIXELS = 'DimensionOrder="XYZCT" Type="uint8" SizeX="3" SizeY="2" SizeZ="2" SizeC="1" SizeT="1"'
put("ome", "two_planes.xml", f'<OME><Image><Pixels {PIXELS}><Channel Name="a"/><TiffData IFD="0" PlaneCount="2"/></Pixels></Image></OME>')
put("ome", "blocks.xml", f'<OME UUID="urn:1"><Image><Pixels {PIXELS} PhysicalSizeX="1" PhysicalSizeY="2" PhysicalSizeYUnit="nm"><TiffData IFD="1"><UUID FileName="any">urn:1</UUID></TiffData><TiffData FirstZ="1" IFD="0"/></Pixels></Image></OME>')

table = "image,class_name,domain,patient,page,role\na.png,cat,D1,p1,,target\n\"b, c.tif\",dog,D2,p2,3,reference\n"
put("manifest", "plain.csv", "c" + table)
put("manifest", "tabs.tsv", "t" + table.replace(",", "\t"))
put("manifest", "lines.jsonl", 'j{"image": "a.png", "class_name": "cat", "domain": "D1"}\n{"image": "b.tif", "class_name": "dog", "page": 2}\n')
put("manifest", "masks.csv", "cimage,mask,image:dapi,pixel_size_um\nx/a.png,x/a_mask.png,x/a_dapi.png,0.65\nb.png,,b_dapi.png,\n")
put("manifest", "crlf.csv", "c\ufeffimage,class_name\r\na.png,\"two\nlines\"\r\n")
for index, text in enumerate([
    "domain = 'D1'", "domain = 'D1' and split = 'test' and class_name != 'basophil'", "not (a < 3 or b >= 1.5e-3) and c in ('x', 'y')",
    "\"odd column\" = ''", "a = 'it''s'", "((a = 1))",
]):
    put("expression", f"{index}.txt", text)
put("class_map", "plain.csv", "from,to\ncat,feline\ndog,\n*,*\n")
put("class_map", "tabs.tsv", "from\tto\ncat\tx\ndog\tx\neel\tx\n")
put("class_map", "quoted.csv", "from,to\n\"cat\",\"a, b\"\ndog,dog\neel,\n")

outlines = json.loads((ROOT.parents[1] / "golden/outlines/values.json").read_text())
for region in outlines["regions"]:
    put("outlines", region["name"].replace(" ", "_").encode("ascii", "ignore").decode() + ".roi", base64.b64decode(region["bytes"]))
put("outlines", "all.zip", base64.b64decode(outlines["zip"]))
put("outlines", "qupath.geojson", json.dumps({"type": "FeatureCollection", "features": [
    {"type": "Feature", "id": "a", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 4]], [[1, 1], [3, 1], [3, 3]]]},
     "properties": {"name": "x", "classification": {"name": "Tumor"}}},
    {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [[[[5, 0], [7, 0], [7, 2]]]], "plane": {"z": 0}}, "properties": {"classification": "Other"}}]}))
coco = {"images": [{"id": 1, "file_name": "a.png", "width": 10, "height": 8}], "categories": [{"id": 7, "name": "cell"}], "annotations": [
    {"id": 11, "image_id": 1, "category_id": 7, "iscrowd": 0, "bbox": [1, 2, 4, 3], "segmentation": [[1, 2, 5, 2, 5, 5, 1, 5]]},
    {"id": 12, "image_id": 1, "category_id": 7, "iscrowd": 0, "bbox": [7, 0, 2, 2], "segmentation": {"size": [8, 10], "counts": [56, 2, 6, 2, 14]}}]}
put("annotations", "polygon_and_runs.json", json.dumps(coco))
coco["annotations"] = [{"image_id": 1, "category_id": 7, "iscrowd": 1, "segmentation": {"size": [8, 10], "counts": ":350000000n0"}}]
del coco["images"][0]["width"]
put("annotations", "compressed.json", json.dumps(coco))

graph = helper.make_graph(
    [helper.make_node("Identity", ["image"], ["maps"])], "identity",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, "y", "x"])],
    [helper.make_tensor_value_info("maps", TensorProto.FLOAT, [1, 1, "y", "x"])],
)
put("onnx", "identity.onnx", helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
weights = np.linspace(-1, 1, 2 * 1 * 3 * 3, dtype=np.float32).reshape(2, 1, 3, 3)
dense = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
graph = helper.make_graph(
    [
        helper.make_node("Conv", ["image", "w"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"], axis=1),
        helper.make_node("Gemm", ["f", "d"], ["logits"]),
    ], "classifier",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["b", 1, "y", "x"])],
    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", 3])],
    [onnx.numpy_helper.from_array(weights, "w"), helper.make_tensor("d", TensorProto.FLOAT, [2, 3], dense.ravel().tolist())],
)
put("onnx", "classifier.onnx", helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
graph = helper.make_graph(
    [helper.make_node("Resize", ["image", "", "s"], ["maps"], mode="linear")], "external",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8])],
    [helper.make_tensor_value_info("maps", TensorProto.FLOAT, None)],
)
outside = TensorProto(name="s", dims=[4], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
outside.external_data.add(key="location", value="weights.bin")
graph.initializer.append(outside)
put("onnx", "external.onnx", helper.make_model(graph, ir_version=8).SerializeToString())

FIVE = """format_version: 0.5.4
type: model
name: seed
inputs:
- id: image
  axes: [{type: batch}, {type: channel, channel_names: [grey]}, {id: y, type: space, size: {min: 8, step: 4}}, {id: x, type: space, size: {min: 8, step: 4}}]
  data: {type: float32, range: [0, 1]}
  preprocessing: OPERATIONS
outputs:
- id: maps
  axes: [{type: batch}, {type: channel, channel_names: [p]}, {id: y, type: space, halo: 2, size: {tensor_id: image, axis_id: y}}, {id: x, type: space, halo: 2, size: {tensor_id: image, axis_id: x}}]
  postprocessing: [{id: sigmoid}]
weights: {onnx: {source: weights.onnx, opset_version: 17}}
config: {transect: {task: semantic, decode: foreground, thresholds: {foreground: 0.5}}}
"""
OPERATIONS = {
    "range": "[{id: scale_range, kwargs: {axes: [channel, y, x], min_percentile: 1, max_percentile: 99.8}}]",
    "chain": "[{id: ensure_dtype, kwargs: {dtype: float32}}, {id: clip, kwargs: {min_percentile: 1, max: 9}}, {id: scale_linear, kwargs: {gain: 0.5, offset: [1], axis: channel}}, {id: zero_mean_unit_variance, kwargs: {axes: [y, x], eps: 1.0e-3}}]",
    "fixed": "[{id: fixed_zero_mean_unit_variance, kwargs: {mean: [1], std: [2], axis: channel}}, {id: binarize, kwargs: {threshold: 0.5}}, {id: softmax, kwargs: {axis: x}}]",
}
for name, text in OPERATIONS.items():
    put("rdf", f"{name}.yaml", FIVE.replace("OPERATIONS", text))
put("rdf", "old.yaml", """format_version: 0.4.10
type: model
name: old
inputs:
- {name: image, axes: bcyx, data_type: float32, data_range: [-.inf, .inf], shape: {min: [1, 1, 4, 4], step: [0, 0, 1, 1]}, preprocessing: [{name: zero_mean_unit_variance, kwargs: {mode: per_sample, axes: yx}}]}
outputs:
- {name: maps, axes: bcyx, data_type: float32, halo: [0, 0, 1, 1], shape: {reference_tensor: image, scale: [1.0, 1.0, 1.0, 1.0], offset: [0, 0, 0, 0]}}
weights: {onnx: {source: weights.onnx}}
config: {transect: {task: instance, decode: foreground, thresholds: {foreground: 0.5}, split_distance_px: 3}}
""")
put("rdf", "anchors.yaml", "format_version: 0.5.4\na: &a [1, 2]\nb: *a\nc: {<<: {d: 1}}\ntype: model\n")
put("model_toml", "maps.toml", """task = "instance"
decode = "foreground"
thresholds = { foreground = 0.5 }
values = "full-scale"
tile = 64
pixel_size_um = 0.65
[input]
axes = "bcyx"
channels = ["grey"]
size = { y = { min = 8, step = 4 }, x = { min = 8, step = 4 } }
preprocessing = [{ id = "scale_range", axes = ["y", "x"], max_percentile = 99 }]
[output]
axes = "bcyx"
channels = ["p"]
halo = 2
activation = "sigmoid"
""")
put("model_toml", "classes.toml", """name = "c"
onnx = "weights.onnx"
task = "classification"
classes = ["a", "b"]
resize = { method = "bilinear", anti_alias = "gaussian", size = [8, 8] }
colour_to_grey = "luma"
normalise = "tile"
[input]
axes = "bcyx"
[output]
axes = "bcyx"
activation = "softmax"
""")
put("predictions_csv", "probabilities.csv", "image,p_cat,p_dog\na.png,0.9,0.1\nb.png,0.25,0.75\n")
put("predictions_csv", "classes.csv", "image,class\na.png,cat\n\"b, c.png\",dog\n")
put("predictions_json", "probabilities.json", '[{"image": "a.png", "p_cat": 0.9, "p_dog": 0.1}, {"image": "b.png", "p_cat": 1, "p_dog": 0}]')
put("predictions_json", "classes.json", '[{"image": "a.png", "class": "cat"}]')
