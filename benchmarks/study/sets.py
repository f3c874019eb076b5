#!/usr/bin/python3
"""Makes two harder sets of Imagenette's photographs (folders train and val, a folder per class), with PIL:

    benchmarks/study/sets.py IMAGENETTE OUT      makes OUT/uneven and OUT/grey

uneven: five classes, of which the first 500, 350, 250, 150 and 50 photographs by name are to learn from, 1,300 in all, and
all for validation. grey: all photographs, in grey, the shorter side of 96 pixels.
"""
import os
import shutil
import sys

from PIL import Image

COUNTS = [500, 350, 250, 150, 50]


def images(folder):
    return sorted(f for f in os.listdir(folder) if f.lower().endswith((".jpg", ".jpeg")))


def uneven(source, out):
    for part in ("train", "val"):
        for label, count in zip(sorted(os.listdir(f"{source}/{part}"))[::2], COUNTS):
            os.makedirs(f"{out}/{part}/{label}")
            names = images(f"{source}/{part}/{label}")
            for name in names[:count] if part == "train" else names:
                shutil.copyfile(f"{source}/{part}/{label}/{name}", f"{out}/{part}/{label}/{name}")


def grey(source, out):
    for part in ("train", "val"):
        for label in sorted(os.listdir(f"{source}/{part}")):
            os.makedirs(f"{out}/{part}/{label}")
            for name in images(f"{source}/{part}/{label}"):
                image = Image.open(f"{source}/{part}/{label}/{name}").convert("L")
                scale = 96 / min(image.size)
                image = image.resize([round(side * scale) for side in image.size], Image.BICUBIC)
                image.save(f"{out}/{part}/{label}/{os.path.splitext(name)[0]}.png")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    uneven(sys.argv[1], f"{sys.argv[2]}/uneven")
    grey(sys.argv[1], f"{sys.argv[2]}/grey")
