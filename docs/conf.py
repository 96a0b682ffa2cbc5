"""How Sphinx builds these pages."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from switchgear._version import __version__  # noqa: E402

project = "Switchgear"
copyright = "the Switchgear developers"
author = "the Switchgear developers"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "api_reference",
    "command_reference",
    "outcome_reference",
    "settings_reference",
]
exclude_patterns = ["_build", "_ext", "changelog.d"]
default_role = "code"  # docstrings mark code with single backticks

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "undoc-members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"Switchgear {version}"
html_copy_source = False
