"""Page ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchgear import InvalidInput
from switchgear_ocr.pages import page_range


@pytest.mark.parametrize(
    ("text", "pages"),
    [("2", (2,)), ("1-3,5", (1, 2, 3, 5)), ("4-", (4, 5)), ("-2", (1, 2)), ("5, 1", (1, 5)), ("1,1-2", (1, 2))],
)
def test_a_range_picks_pages_in_the_documents_order(text: str, pages: tuple[int, ...]) -> None:
    assert page_range(text).select(5) == pages


def test_nothing_means_every_page() -> None:
    assert page_range(None).select(3) == page_range("").select(3) == (1, 2, 3)


def test_numbers_are_as_good_as_text() -> None:
    assert page_range(2) == page_range("2") == page_range([2])


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        *((text, "Write for example 1-3,5 or 2-") for text in ("one", "1-2-3", "-", "1,,2", "1.5", "9" * 5000)),
        *((text, "Count pages from 1") for text in ("0", "0-2")),
        ("3-1", "Write 1-3"),
    ],
)
def test_what_is_no_range_is_invalid_and_says_so(text: str, remedy: str) -> None:
    with pytest.raises(InvalidInput, match="pages") as caught:
        page_range(text)
    assert caught.value.remedy == remedy


@pytest.mark.parametrize("text", ["4", "2-4", "4-", "1-999999999999"])
def test_a_page_that_the_document_does_not_have_is_invalid(text: str) -> None:
    with pytest.raises(InvalidInput, match="the document has 3") as caught:
        page_range(text).select(3)
    assert caught.value.remedy == "Ask for pages between 1 and 3"


@given(st.lists(st.integers(1, 30), min_size=1))
def test_what_is_shown_reads_as_the_same_pages(numbers: list[int]) -> None:
    wanted = page_range(numbers)
    assert page_range(str(wanted)).select(30) == wanted.select(30) == tuple(sorted(set(numbers)))
