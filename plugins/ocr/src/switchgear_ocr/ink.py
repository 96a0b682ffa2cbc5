"""Where a page has text-like ink: on a coarse grid, without knowing what it says.

Looks for strokes: dark, narrow, with brighter paper on both sides, judged against that paper. So shadows, lamps and
pale ink make no difference, and a desk around the page, flat areas of pictures and horizontal rules do not count.
"""

from collections.abc import Iterable

import attrs
import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from switchgear_ocr.output import Box

Grey = NDArray[np.uint8]
Flags = NDArray[np.bool_]

# Body text on an A4 page has letters of about five pixels at this size: enough to find it, and quick to look at.
LONG_SIDE = 800
# Strokes are narrower than this, in reduced pixels; a headline's are about five wide.
WIDEST_STROKE = 10
# A stroke is darker than the paper beside it by one seventh of the paper's brightness and this many of 255 levels.
CONTRAST, MARGIN = 7, 5
CELL = 8
# With fewer dark pixels than this a cell has specks, not letters.
MIN_DARK = 6
# Fewer cells than this are a smudge or a page number: nothing to judge an engine by.
LEAST_CELLS = 4


@attrs.frozen(eq=False)
class Ink:
    """The dark pixels in each cell that looks like text, else 0; a cell is `cell` page pixels wide and high."""

    counts: Grey
    cell: int

    def share_in(self, boxes: Iterable[Box]) -> float:
        """The share of the ink that lies in the boxes, 0-1; 1 where there is next to no ink."""
        if np.count_nonzero(self.counts) < LEAST_CELLS:
            return 1.0
        return float(self.counts[self._cells_of(boxes)].sum() / self.counts.sum())

    def _cells_of(self, boxes: Iterable[Box]) -> Flags:
        cells = np.zeros(self.counts.shape, dtype=np.bool_)
        for box in boxes:
            # Half a cell more on each side: boxes are drawn tightly around letters, cells are not.
            left, top = (max(0, round(edge / self.cell - 0.5)) for edge in (box.left, box.top))
            right, bottom = (max(0, round(edge / self.cell + 0.5)) for edge in (box.right, box.bottom))
            cells[top:bottom, left:right] = True
        return cells


def text_ink(page: Image) -> Ink:
    """Takes 2 to 4 ms for a page of 1700 x 2200 pixels."""
    factor = max(1, round(max(page.size) / LONG_SIDE))
    grey = page.convert("L")
    grid = _per_cell(_strokes(np.asarray(grey.reduce(factor) if factor > 1 else grey)))
    return Ink(np.where(_in_rows(grid >= MIN_DARK), grid, np.uint8(0)), factor * CELL)


def _strokes(grey: Grey) -> Flags:
    width, reach = grey.shape[1], WIDEST_STROKE
    brightest = _running_maximum(np.pad(grey, ((0, 0), (reach, reach)), mode="edge"), reach)
    paper = np.minimum(brightest[:, :width], brightest[:, reach + 1 : reach + 1 + width])
    # Whole-number arithmetic on bytes is several times quicker than any other here; the maximum keeps it above 0.
    darker = np.maximum(paper, grey) - grey
    return darker > paper // np.uint8(CONTRAST) + np.uint8(MARGIN)


def _running_maximum(values: Grey, reach: int) -> Grey:
    """The maximum of each `reach` neighbours in a row, in steps that double."""
    done = 1
    while done < reach:
        step = min(done, reach - done)
        values = np.maximum(values[:, :-step], values[:, step:])
        done += step
    return values


def _per_cell(flags: Flags) -> Grey:
    height, width = flags.shape
    padded = np.pad(flags.view(np.uint8), ((0, -height % CELL), (0, -width % CELL)))
    rows = padded.reshape(-1, CELL, padded.shape[1]).sum(axis=1, dtype=np.uint8)
    counts: Grey = rows.reshape(len(rows), -1, CELL).sum(axis=2, dtype=np.uint8)
    return counts


def _in_rows(cells: Flags) -> Flags:
    """Only cells in a row of three or more: text runs in lines, and a vertical rule touches two at the most."""
    padded = np.pad(cells, ((0, 0), (2, 2)))
    threes = padded[:, :-2] & padded[:, 1:-1] & padded[:, 2:]
    return threes[:, :-2] | threes[:, 1:-1] | threes[:, 2:]
