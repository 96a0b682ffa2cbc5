"""The guides' programs run as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

from switchgear_deepl.testing import KEY, FakeDeepL
from switchgear_http.testing import LocalServer
from switchgear_libretranslate.testing import FakeLibreTranslate

GUIDES = Path(__file__).parents[2] / "docs/how-to"
CAPTIONED = re.compile(r"^```\{code-block\} \w+\n:caption: (?P<name>\S+)\n+(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
PLAIN = re.compile(r"^```(?P<language>toml|python)\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)


def run(folder: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *arguments]
    environment = {**os.environ, **environ}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_provider_of_the_guide_passes_the_tests_of_the_guide(tmp_path: Path) -> None:
    files = list(CAPTIONED.finditer((GUIDES / "write-an-http-provider.md").read_text("utf-8")))
    assert [file["name"] for file in files] == ["acme.py", "test_acme.py"]
    for file in files:
        (tmp_path / file["name"]).write_text(file["body"], "utf-8")
    ran = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "test_acme.py")
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"\b[5-9]\d passed", ran.stdout), ran.stdout


def test_two_vendors_can_be_compared_as_the_guide_says(tmp_path: Path) -> None:
    blocks = [
        (block["language"], block["body"]) for block in PLAIN.finditer((GUIDES / "replace-a-vendor.md").read_text())
    ]
    configuration = next(body for language, body in blocks if language == "toml")
    program = next(body for language, body in blocks if language == "python")
    with LocalServer(FakeDeepL()) as old, LocalServer(FakeLibreTranslate()) as new:
        here = f'base_url = "{old.url}", api_key = "${{DEEPL_AUTH_KEY}}"'
        (tmp_path / "switchgear.toml").write_text(configuration.replace('api_key = "${DEEPL_AUTH_KEY}"', here), "utf-8")
        (tmp_path / "compare.py").write_text(program, "utf-8")
        ran = run(tmp_path, "compare.py", DEEPL_AUTH_KEY=KEY, LIBRETRANSLATE_URL=new.url)
        doctor = run(tmp_path, "-m", "switchgear", "doctor", "letters", DEEPL_AUTH_KEY=KEY, LIBRETRANSLATE_URL=new.url)
    assert ran.returncode == 0, ran.stderr
    first, second = ran.stdout.splitlines()
    assert first.startswith("old")
    assert "'[DE] Good morning.'" in first
    assert second.startswith("new")
    assert "'[de] The house is big.'" in second
    assert doctor.returncode == 0, doctor.stdout
    assert "api_key accepted" in doctor.stdout
