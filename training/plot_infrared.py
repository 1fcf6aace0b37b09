"""Draws the picture of docs/src/infrared.md from what train_infrared.py wrote.

    python training/plot_infrared.py DIR docs/src/infrared.png
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import skimage.io

BLUE, ORANGE = "#0072B2", "#D55E00"


def main():
    folder, target = pathlib.Path(sys.argv[1]), sys.argv[2]
    accuracy = json.loads((folder / "result.json").read_text())["accuracy"]
    rows = [line.split(",") for line in (folder / "test_none" / "infrared.csv").read_text().splitlines()[1:]]
    spectra = {name: [] for name in ("normal", "altered")}
    for row in rows[:100]:
        spectra[row[1]].append(np.load(folder / "test_none" / row[0]).mean((1, 2)))
    wavenumbers = np.linspace(960, 1760, len(spectra["normal"][0]))
    figure = plt.figure(figsize=(11, 6.2), layout="constrained")
    grid = figure.add_gridspec(2, 4)
    for place, row in enumerate((rows[0], rows[1])):
        axis = figure.add_subplot(grid[0, place])
        axis.imshow(skimage.io.imread(folder / "test_none" / "stained" / f"{row[3]}.png"))
        axis.set_title(f"stained, {row[1]}", fontsize=10)
        axis.axis("off")
        axis = figure.add_subplot(grid[1, place])
        axis.imshow(np.load(folder / "test_none" / row[0])[34], cmap="gray")
        axis.set_title(f"absorbance at {wavenumbers[34]:.0f} cm⁻¹", fontsize=10)
        axis.axis("off")
    axis = figure.add_subplot(grid[0, 2:])
    for name, colour, style in (("normal", BLUE, "-"), ("altered", ORANGE, "--")):
        for spectrum in spectra[name][:20]:
            axis.plot(wavenumbers, spectrum, color=colour, lw=0.6, alpha=0.5, ls=style)
        axis.plot([], [], color=colour, ls=style, label=name)
    axis.set(xlabel="wavenumber, cm⁻¹", ylabel="mean absorbance", title="Thickness and scatter vary most")
    axis.legend(fontsize=8)
    axis = figure.add_subplot(grid[1, 2:])
    names = list(accuracy)
    for set_name, marker, colour, words in (
        ("test_same", "o", BLUE, "with the class, as in training"),
        ("test_none", "s", "#555555", "not with the class"),
        ("test_opposite", "v", ORANGE, "against the class"),
    ):
        axis.plot([accuracy[n][set_name] for n in names], range(len(names)), marker, color=colour, label=words)
    axis.axvline(0.5, color="#999999", lw=0.8, ls=":")
    axis.set_yticks(range(len(names)), [n.replace("_", ", ", 1).replace("_", " ") for n in names], fontsize=8)
    axis.invert_yaxis()
    axis.set(xlabel="accuracy; thickness and scatter go …", xlim=(0, 1))
    axis.legend(fontsize=7, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, frameon=False)
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main()
