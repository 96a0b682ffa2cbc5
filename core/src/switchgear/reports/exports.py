"""Writes cost records for other programs, one after the other: a ledger of any size takes no more memory."""

import csv
import json
from collections.abc import Iterable
from typing import TextIO

from switchgear.cost_sink import CostRecord
from switchgear.reports.fields import FIELDS, csv_fields, json_fields


def write_csv(records: Iterable[CostRecord], file: TextIO) -> int:
    """With a line of headings. Returns how many records there were."""
    writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
    writer.writeheader()
    count = 0
    for record in records:
        writer.writerow(csv_fields(record))
        count += 1
    return count


def write_json(records: Iterable[CostRecord], file: TextIO) -> int:
    """As one array, with a record on each line. Returns how many records there were."""
    file.write("[")
    count = 0
    for record in records:
        file.write(",\n" if count else "\n")
        file.write(json.dumps(json_fields(record), allow_nan=False))
        count += 1
    file.write("\n]\n")
    return count
