"""Runs the recipes of docs/src/formats.md on the odd files that they are for, and keeps what they wrote: shape, type, range.

A recipe is the Python block under a heading; IN and OUT are set before it runs. What it writes must be an array that transect reads: two
to four axes of plain numbers. Run: python golden/recipes/make.py (see PROVENANCE.toml for the packages).
"""
import json
import re
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
ODD = HERE / "../../../shared/data/odd_formats"
page = (HERE / "../../docs/src/formats.md").read_text()
recipes = dict(re.findall(r"### ([^\n]+)\n\n[^\n]+\n\n```python\n(.*?)\n```", page, re.S))
FILES = {
    "czi/s_1_t_1_c_1_z_1.czi": "Zeiss CZI",
    "mat/sample.mat": "MATLAB 5", "mat/Indian_pines_gt.mat": "MATLAB 5", "mat/PaviaU_gt.mat": "MATLAB 5", "mat/Salinas_gt.mat": "MATLAB 5",
    "fits/WFPC2u5780205r_c0fx.fits": "FITS",
    "nifti/avg152T1_LR_nifti.nii.gz": "A gzip file (NIfTI, where the name ends in .nii.gz)",
    "analyze/t00740_tr1_segm.hdr": "The header of an Analyze file",
    "jp2/Bretagne2_4.j2k": "JPEG 2000",
    "ir_raman/5_mosaic_agg1024.dmt": "A file of an Agilent infrared imager, by its name",
    "ir_raman/4_noimage_agg256.seq": "A file of an Agilent infrared imager, by its name",
    "ir_raman/sp.wdf": "Renishaw WDF",
    "ir_raman/whitelight.gsf": "Gwyddion simple field",
    "ir_raman/max_iv_a000.xim": "A text image of a microscope for soft X-rays, by its name",
    "ir_raman/small_diamond_nxs.nxs": "HDF5 (also NeXus, O-PTIR)",
    "ir_raman/small_OK.hdf5": "HDF5 (also NeXus, O-PTIR)",
    "ir_raman/Nodax_Spectral_Array.ptir": "HDF5 (also NeXus, O-PTIR)",
}
found = []
for file, heading in FILES.items():
    entry = {"file": file, "recipe": heading}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / ("out.png" if heading == "JPEG 2000" else "out.npy")
        try:
            exec(compile(recipes[heading], heading, "exec"), {"IN": str(ODD / file), "OUT": str(out)})
            array = np.asarray(Image.open(out)) if out.suffix == ".png" else np.load(out)
            entry |= {"shape": list(array.shape), "dtype": array.dtype.name,
                      "min": float(np.nanmin(array)), "max": float(np.nanmax(array)), "mean": float(np.nanmean(array, dtype="float64")),
                      "read": array.ndim in (2, 3, 4) and array.dtype.kind in "biuf"}
        except Exception as error:
            entry["error"] = f"{type(error).__name__}: {error}"[:200]
    found.append(entry)
    print(entry)
(HERE / "values.json").write_text("[\n" + ",\n".join(json.dumps(e) for e in found) + "\n]\n")
