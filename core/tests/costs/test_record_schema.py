"""The documented record is the one that is written."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import get_args

import attrs
from switchgear.cost_sink import SCHEMA, CostRecord, Kind
from switchgear.costs.jsonl import to_json
from switchgear.money import Charge

PAGE = Path(__file__).parents[3] / "docs/reference/cost-records.md"
JSON_TYPES = {"text": str, "whole number": int, "number": float, "object of texts": dict, "list of texts": list}


def documented() -> dict[str, tuple[str, str]]:
    text = PAGE.read_text("utf-8").partition("## Where they go")[0]
    return {
        name: (kind, meaning)
        for name, kind, meaning in re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", text, re.MULTILINE)
    }


def test_the_page_names_every_field_in_order_and_the_version() -> None:
    assert list(documented()) == [field.name for field in attrs.fields(CostRecord)]
    assert f"version {SCHEMA} of the record" in PAGE.read_text("utf-8")


def test_the_page_names_every_kind_and_charge() -> None:
    assert all(f"`{kind}`" in documented()["kind"][1] for kind in get_args(Kind))
    assert all(f"`{charge.value}`" in documented()["charge"][1] for charge in Charge)


def test_a_line_has_the_documented_types() -> None:
    record = CostRecord(
        id="a.1", at=1, service="s", capability="c", provider="p", cost=Decimal(1), usage={"pages": Decimal(1)}
    )
    empty = json.loads(json.dumps(to_json(record)))
    full = json.loads(json.dumps(to_json(attrs.evolve(record, estimate=Decimal(1), tenant="t", tags=("x",)))))
    for name, (kind, _) in documented().items():
        wanted = JSON_TYPES[kind.removesuffix(" or null")]
        assert type(full[name]) is wanted, name
        assert type(empty[name]) is wanted or (empty[name] is None and kind.endswith("or null")), name
