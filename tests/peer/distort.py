#!/usr/bin/env python3
"""Sixty thousand images where only MNIST's ten thousand test images are at hand.

    distort.py DIR OUT [--count 60000] [--held-out 2000] [--seed 0]

Reads t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (or .gz) of DIR and writes to OUT
  train-images-idx3-ubyte, train-labels-idx1-ubyte   distortions of all but the last images
  held-out.npz                                       x (held-out, 784), y: the last ones, untouched and undistorted

A distortion turns by up to 15 degrees, scales by up to 10 % in either direction, shears by up to 0.15 and shifts by up to two
pixels, each drawn evenly; grey values are interpolated. Needs numpy."""

import argparse
import gzip
import pathlib

import numpy as np


def read(folder, name):
    plain = folder / name
    opened = open(plain, "rb") if plain.exists() else gzip.open(folder / (name + ".gz"))
    with opened as file:
        content = file.read()
    rank = content[3]
    shape = np.frombuffer(content, ">u4", rank, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def write(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(int(size).to_bytes(4, "big") for size in array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def distorted(image, draw):
    angle = np.deg2rad(draw.uniform(-15, 15))
    scale, shear = draw.uniform(0.9, 1.1, 2), draw.uniform(-0.15, 0.15)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    map_back = np.linalg.inv(turn @ np.array([[scale[0], shear], [0, scale[1]]]))
    side = image.shape[0]
    centre = (side - 1) / 2
    at = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1) - centre
    at = at @ map_back.T + centre + draw.uniform(-2, 2, 2)
    low = np.floor(at).astype(int)
    share = at - low
    padded = np.pad(image.astype(float), ((1, 2), (1, 2)))
    low = np.clip(low + 1, 0, side + 1)
    corner = lambda i, j: padded[low[..., 0] + i, low[..., 1] + j]
    a, b = share[..., 0], share[..., 1]
    return (1 - a) * (1 - b) * corner(0, 0) + (1 - a) * b * corner(0, 1) + a * (1 - b) * corner(1, 0) + a * b * corner(1, 1)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("dir", type=pathlib.Path)
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--count", type=int, default=60_000)
    arguments.add_argument("--held-out", type=int, default=2_000)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    images, labels = (read(given.dir, f"t10k-{name}-ubyte") for name in ("images-idx3", "labels-idx1"))
    own = len(images) - given.held_out
    draw = np.random.default_rng(given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    made = np.stack([np.rint(distorted(images[i % own], draw)) for i in range(given.count)])
    write(given.out / "train-images-idx3-ubyte", made)
    write(given.out / "train-labels-idx1-ubyte", labels[np.arange(given.count) % own])
    np.savez(given.out / "held-out.npz", x=images[own:].reshape(-1, 784) / 255.0, y=labels[own:].astype(np.int64))


if __name__ == "__main__":
    main()
