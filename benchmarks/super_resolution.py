"""Upscalers beside bicubic interpolation: likeness to the large pictures, and a classifier's word.

    python benchmarks/super_resolution.py RUN… --classifier BUNDLE --out DIR

takes the test pictures of finished runs of ``smearlab train srresnet``, ``srgan`` and the like, and
prints figures as JSON; see :func:`smearlab.learn.upscale_figures.figures`. DIR gets them as
``figures.json``, and ``pictures.png`` with some of the pictures. ``--classifier`` is the folder of
a classifier bundle or of a finished run; let it be one that has not seen the test pictures. The
perceptual distance is by the classifier that ships, which the content loss of ``srgan`` uses, too,
or LPIPS by local files: ``--lpips alexnet ALEXNET LINEAR``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from smearlab.evaluation.results import plain
from smearlab.io.atomic import write_bytes, write_text
from smearlab.learn.picture_networks import blood_cell_lpips, lpips
from smearlab.learn.upscale_figures import enlarge_test_pictures, figures, sheet, typing_by
from smearlab.learn.upscaler_run import open_upscaler_run
from smearlab.report.overlay import encode_png


def main() -> None:
    """Enlarge, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--data", type=Path, help="folder of the pictures, if it has moved")
    parser.add_argument("--classifier", help="bundle or run whose accuracy is measured")
    parser.add_argument("--lpips", nargs=3, metavar=("NETWORK", "WEIGHTS", "LINEAR"))
    parser.add_argument("--most", type=int, help="at most so many pictures, evenly spread")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    runs = [open_upscaler_run(folder) for folder in options.runs]
    pictures = enlarge_test_pictures(runs, options.data, options.most)
    classifier = None
    if options.classifier:
        classifier = typing_by(options.classifier, pictures.shown_px)
    distance = blood_cell_lpips()
    if options.lpips:
        network, weights, linear = options.lpips
        distance = lpips(network, Path(weights), Path(linear))
    found = plain(figures(pictures, classifier, distance))
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    options.out.mkdir(parents=True, exist_ok=True)
    write_text(options.out / "figures.json", text)
    write_bytes(options.out / "pictures.png", encode_png(sheet(pictures)))
    print(text, end="")


if __name__ == "__main__":
    main()
