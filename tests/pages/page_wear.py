"""What happens to a page on its way to the reader: skew, noise, a bad copy, a phone camera."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.float32]
DESKS = ((92, 68, 48), (70, 74, 80), (140, 116, 88), (52, 50, 54))


def to_pixels(image: Image.Image) -> Pixels:
    return np.asarray(image, dtype=np.float32)


def to_image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def skew(image: Image.Image, degrees: float) -> Image.Image:
    return image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)


def photocopy(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Specks of toner and of missing toner on a slightly soft copy."""
    pixels = to_pixels(image.filter(ImageFilter.GaussianBlur(0.6)))
    dice = rng.random(pixels.shape, dtype=np.float32)
    share = rng.uniform(0.001, 0.004)
    pixels = np.where(dice < share, 40, np.where(dice > 1 - share, 255, pixels)).astype(np.float32)
    return to_image(pixels)


def grain(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A scanner with its lamp near the end of its life."""
    pixels = to_pixels(image.filter(ImageFilter.GaussianBlur(0.7))) * 0.85 + 25
    return to_image(_noise(pixels, rng, rng.uniform(9, 13)))


def faint(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Pale ink on grey paper."""
    ink, paper = rng.uniform(125, 150), rng.uniform(205, 225)
    pixels = ink + to_pixels(image.filter(ImageFilter.GaussianBlur(0.5))) / 255 * (paper - ink)
    return to_image(_noise(pixels.astype(np.float32), rng, 4))


def blocky(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Saved as a JPEG of low quality, and then again."""
    buffer = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(0.5)).save(buffer, "JPEG", quality=int(rng.integers(12, 20)))
    return Image.open(buffer).convert("L")


def photograph(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The sheet on a desk, held by hand under a lamp: perspective, shadow, warm light, soft focus, sensor noise."""
    size = (1200, 1600)  # what a messenger leaves of a picture
    coefficients = _perspective(_corners(rng, size), image.size)
    warped = image.transform(size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC, fillcolor=255)
    whole = Image.new("L", image.size, 255).transform(size, Image.Transform.PERSPECTIVE, coefficients)
    cover = (to_pixels(whole.filter(ImageFilter.GaussianBlur(1))) / 255)[..., None]
    paper = (40 + to_pixels(warped) * 0.78)[..., None] * np.array([1.0, 0.975, 0.92], dtype=np.float32)
    scene = cover * paper + (1 - cover) * _desk(rng, size)
    lit = to_image((scene * _light(rng, size)[..., None]).astype(np.float32))
    soft = to_pixels(lit.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 0.8))))
    return to_image(_noise(soft, rng, rng.uniform(1.5, 3)))


def _noise(pixels: Pixels, rng: np.random.Generator, sigma: float) -> Pixels:
    noise = rng.standard_normal(pixels.shape[:2], dtype=np.float32) * np.float32(sigma)
    return pixels + (noise if pixels.ndim == 2 else noise[..., None])


def _corners(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float64]:
    """Where the sheet's corners lie in the picture: turned a little, the far edge shorter than the near one."""
    near, far = rng.uniform(0.94, 0.98), rng.uniform(0.80, 0.88)
    shape = np.array([(-far, -0.95), (far, -0.95), (near, 0.95), (-near, 0.95)]) * (size[0] / 2, size[1] / 2)
    angle = np.radians(rng.uniform(-2.5, 2.5))
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    return np.asarray(shape @ turn + np.array(size) / 2 + rng.uniform(-12, 12, (4, 2)))


def _perspective(corners: NDArray[np.float64], source: tuple[int, int]) -> list[float]:
    """Pillow's eight coefficients, which lead from the picture back to the sheet."""
    width, height = source
    rows, target = [], []
    for (x, y), (u, v) in zip(corners, [(0, 0), (width, 0), (width, height), (0, height)], strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        target += [u, v]
    return [float(value) for value in np.linalg.solve(np.array(rows), np.array(target))]


def _light(rng: np.random.Generator, size: tuple[int, int]) -> Pixels:
    """Brightness over the picture: a lamp to one side, and the soft shadow of the hand that holds the phone."""
    x, y = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    lamp = rng.uniform(0, 2 * np.pi)
    slope = 1 - rng.uniform(0.12, 0.22) * (1 + x * np.cos(lamp) + y * np.sin(lamp))
    edge = rng.uniform(0, 2 * np.pi)
    distance = x * np.cos(edge) + y * np.sin(edge) - rng.uniform(-0.4, 0.4)
    shadow = 1 - rng.uniform(0.38, 0.52) / (1 + np.exp(-distance / rng.uniform(0.04, 0.12)))
    return np.asarray(slope * shadow * 1.1, dtype=np.float32)


def _desk(rng: np.random.Generator, size: tuple[int, int]) -> Pixels:
    """A table top with a grain along one direction."""
    coarse = Image.fromarray(rng.integers(0, 256, (60, 12), dtype=np.uint8))
    texture = to_pixels(coarse.resize(size, Image.Resampling.BICUBIC))[..., None] / 255 - 0.5
    colour = np.array(DESKS[int(rng.integers(len(DESKS)))], dtype=np.float32)
    return np.asarray(colour * (1 + 0.35 * texture), dtype=np.float32)
