"""Pictures of costs."""

import sys
import xml.etree.ElementTree as ET
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from switchgear.errors import UsageError
from switchgear.periods import Period
from switchgear.reports.plot import Picture, draw, picture


@pytest.fixture
def drawn(record: Any, keep: Any) -> Picture:
    ledger = keep(
        record("2026-11-01"),
        record("2026-11-03", provider="good", outcome="timeout", cost=Decimal(2)),
        record("2026-11-03", cost=Decimal(1)),
        record("2026-11-03", currency="EUR"),
    )
    return picture(ledger, per=Period.DAY, currency="USD")


def test_what_is_drawn_comes_to_the_total(drawn: Picture) -> None:
    assert [(each.total.key[0], each.total.cost) for each in drawn.courses] == [
        ("good", Decimal(2)),
        ("fast", Decimal("1.01")),
    ]
    assert drawn.courses[1].over_time == [Decimal("0.01"), 0, 1]
    assert {total.key[0]: total.cost for total in drawn.outcomes} == {
        "success": Decimal("1.01"),
        "timeout": Decimal(2),
    }


def test_another_currency_is_not_drawn_and_named(drawn: Picture) -> None:
    assert drawn.left_out == ["EUR"]


def test_providers_without_a_colour_of_their_own_are_drawn_together(record: Any, keep: Any) -> None:
    ledger = keep(*[record(provider=f"p{number}", cost=Decimal(number)) for number in range(1, 11)])
    found = picture(ledger, per=None, currency="USD")
    assert [each.total.key[0] for each in found.courses] == [*(f"p{n}" for n in range(10, 3, -1)), "3 others"]
    assert found.courses[-1].total.cost == 6


def test_nothing_to_draw_is_an_error(record: Any, keep: Any) -> None:
    with pytest.raises(UsageError, match="no attempt of the selection has a cost in USD"):
        picture(keep(record(currency="EUR")), per=None, currency="USD")


def test_an_svg_is_labelled(drawn: Picture, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "costs.svg"
    draw(drawn, file)
    source = file.read_text()
    ET.fromstring(source)
    for text in (
        "Cost by provider, per day",
        "cost (USD per day)",
        "time (UTC)",
        "good (2.00)",
        "fast (1.01)",
        "Cost by outcome of the attempt",
        "success (2)",
        "outcome (attempts)",
    ):
        assert f"<!-- {text} -->" in source


def test_a_png_is_a_png(drawn: Picture, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    draw(drawn, tmp_path / "costs.PNG")
    assert (tmp_path / "costs.PNG").read_bytes().startswith(b"\x89PNG")


def test_another_suffix_is_refused(drawn: Picture) -> None:
    with pytest.raises(UsageError, match=r"costs.pdf: a plot is a .png or a .svg"):
        draw(drawn, Path("costs.pdf"))


def test_without_matplotlib_the_command_that_brings_it_is_named(
    drawn: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match="needs matplotlib") as caught:
        draw(drawn, Path("costs.png"))
    assert caught.value.remedy == "Run: pip install 'switchgear[plot]'"
