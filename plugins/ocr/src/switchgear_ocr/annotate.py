"""The pages with the answer's boxes drawn on them."""

import io
from typing import TYPE_CHECKING

from switchgear import InvalidInput

from switchgear_ocr.output import OcrOutput, Page
from switchgear_ocr.request import OcrRequest

if TYPE_CHECKING:
    from PIL.Image import Image

BLOCK, SURE, DOUBTFUL = (40, 90, 200), (30, 150, 60), (215, 60, 40)
DOUBT = 0.7
# A picture for people to look at; a book's pages below each other would fill any memory.
MAX_PIXELS = 60_000_000


def annotate(request: OcrRequest, output: OcrOutput, format: str = "PNG") -> bytes:
    """A picture: blocks in blue, lines in green, doubtful words (confidence below 0.7) in red; pages below each other.

    Pages that would make the picture larger than 60 megapixels are left out. `format` is a name of Pillow's.
    """
    from PIL import Image

    pages = [_drawn(request, page) for page in _fitting(output)]
    if not pages:
        pages = [Image.new("RGB", (1, 1), "white")]
    sheet = Image.new("RGB", (max(page.width for page in pages), sum(page.height for page in pages)), "white")
    top = 0
    for page in pages:
        sheet.paste(page, (0, top))
        top += page.height
    return _encoded(sheet, format)


def _encoded(sheet: "Image", format: str) -> bytes:
    buffer = io.BytesIO()
    try:
        sheet.save(buffer, format, **({"compress_level": 1} if format == "PNG" else {}))
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"a drawing of {sheet.width:,} x {sheet.height:,} pixels is too large for {format}", remedy="Write a PNG"
        ) from error
    return buffer.getvalue()


def _fitting(output: OcrOutput) -> list[Page]:
    fitting: list[Page] = []
    for page in output.pages:
        width = max(each.width for each in [*fitting, page])
        if fitting and width * sum(each.height for each in [*fitting, page]) > MAX_PIXELS:
            break
        fitting.append(page)
    return fitting


def _drawn(request: OcrRequest, page: Page) -> "Image":
    from PIL import ImageDraw

    image = request.document.page(page.number).convert("RGB")
    draw = ImageDraw.Draw(image)
    for block in page.blocks:
        draw.rectangle((block.box.left, block.box.top, block.box.right, block.box.bottom), outline=BLOCK, width=3)
    for line in page.lines:
        doubtful = [word for word in line.words if word.confidence is not None and word.confidence < DOUBT]
        for box, colour in [(line.box, SURE), *((word.box, DOUBTFUL) for word in doubtful)]:
            draw.rectangle((box.left, box.top, box.right, box.bottom), outline=colour, width=2)
    return image
