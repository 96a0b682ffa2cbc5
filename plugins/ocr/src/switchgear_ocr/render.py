"""An answer as text, as JSON, and as hOCR (https://kba.github.io/hocr-spec/1.2/)."""

import json
from collections.abc import Iterator
from typing import Any

from switchgear_ocr.output import Block, Box, Line, OcrOutput, Page, Word

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<title></title>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8"/>
<meta name="ocr-system" content="switchgear-ocr"/>
<meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_line ocrx_word"/>
</head>
<body>"""
# XML has no place for most control characters, not even escaped.
UNWRITABLE = {code: None for code in range(32) if code not in (9, 10, 13)}


def as_json(output: OcrOutput) -> dict[str, Any]:
    """JSON-ready values; a box is [left, top, right, bottom]."""
    return {"text": output.text, "confidence": output.confidence, "pages": [_page(page) for page in output.pages]}


def as_json_text(output: OcrOutput) -> str:
    return json.dumps(as_json(output), ensure_ascii=False, indent=2)


def as_text(output: OcrOutput) -> str:
    return output.text


def as_hocr(output: OcrOutput) -> str:
    lines = [HEAD]
    for page in output.pages:
        lines += _hocr_page(page)
    return "\n".join([*lines, "</body>", "</html>", ""])


def _page(page: Page) -> dict[str, Any]:
    blocks = [{"box": _corners(block.box), "lines": [_line(line) for line in block.lines]} for block in page.blocks]
    return {"number": page.number, "width": page.width, "height": page.height, "blocks": blocks}


def _line(line: Line) -> dict[str, Any]:
    return {**_text(line), "slope": line.slope, "words": [_text(word) for word in line.words]}


def _text(part: Line | Word) -> dict[str, Any]:
    return {"text": part.text, "box": _corners(part.box), "confidence": part.confidence}


def _corners(box: Box) -> list[float]:
    return [box.left, box.top, box.right, box.bottom]


def _hocr_page(page: Page) -> Iterator[str]:
    title = f"bbox 0 0 {page.width} {page.height}; ppageno {page.number - 1}"
    yield f'<div class="ocr_page" id="page_{page.number}" title="{title}">'
    for number, block in enumerate(page.blocks, 1):
        yield from _hocr_block(block, f"{page.number}_{number}")
    yield "</div>"


def _hocr_block(block: Block, key: str) -> Iterator[str]:
    yield f'<div class="ocr_carea" id="block_{key}" title="{_bbox(block.box)}">'
    for number, line in enumerate(block.lines, 1):
        slope = f"; baseline {line.slope:.4f} 0" if line.slope else ""
        words = " ".join(_hocr_word(word, f"{key}_{number}_{i}") for i, word in enumerate(line.words, 1))
        title = f"{_bbox(line.box)}{slope}"
        yield f'<span class="ocr_line" id="line_{key}_{number}" title="{title}">{words or _written(line.text)}</span>'
    yield "</div>"


def _hocr_word(word: Word, key: str) -> str:
    sure = "" if word.confidence is None else f"; x_wconf {round(100 * word.confidence)}"
    title = f"{_bbox(word.box)}{sure}"
    return f'<span class="ocrx_word" id="word_{key}" title="{title}">{_written(word.text)}</span>'


def _bbox(box: Box) -> str:
    return "bbox " + " ".join(str(round(edge)) for edge in (box.left, box.top, box.right, box.bottom))


def _written(text: str) -> str:
    from html import escape  # with all the names of HTML's characters: only for who wants hOCR

    return escape(text.translate(UNWRITABLE), quote=False)
