"""Two hundred other distributions in the same environment are neither imported nor paid for."""

import json
from pathlib import Path
from typing import Any

SCRIPT = """
import json, sys
from switchgear import Switchgear
from switchgear.plugins import Catalog

scans = {"capability": "ocr", "providers": {"engine": {"type": "tesseract"}}}
board = Switchgear.compose({"services": {"scans": scans}})
names = Catalog().names("providers")
json.dump({"modules": sorted(sys.modules), "names": names}, sys.stdout)
"""


def crowd(site: Path, number: int, group: str) -> None:
    info = site / f"acme_{group.replace('.', '_')}{number}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: acme-{group.replace('.', '-')}{number}\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(f"[{group}]\nocr.more{number} = acme_crowd:Thing{number}\n")


def test_llm_732_a_crowd_of_plugins_changes_nothing_that_is_loaded(environment: Any) -> None:
    alone = environment.run("-c", SCRIPT)
    assert alone.returncode == 0, alone.stderr
    site = Path(environment.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
    (site / "acme_crowd.py").write_text("raise RuntimeError('imported')\n")
    for number in range(100):
        crowd(site, number, "switchgear.providers")
        crowd(site, number, "acme.plugins")
    crowded = environment.run("-c", SCRIPT)
    assert crowded.returncode == 0, crowded.stderr
    before, after = json.loads(alone.stdout), json.loads(crowded.stdout)
    assert after["modules"] == before["modules"]
    assert {*after["names"]} - {*before["names"]} == {f"ocr.more{number}" for number in range(100)}
