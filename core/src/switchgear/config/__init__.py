"""Files to frozen settings: TOML, JSON or YAML; environments; `${...}`; and every problem in one run."""

from switchgear.config.document import Document, Loaded
from switchgear.config.interpolate import IsActive
from switchgear.config.load import from_mapping, load, read
from switchgear.config.references import SecretStores
from switchgear.config.settings import Component, General, Logging, Plugins, Provider, Service, Settings
from switchgear.config.structure import structure, structure_fields
from switchgear.durations import Duration, parse_duration, spell_duration

__all__ = [
    "Component",
    "Document",
    "Duration",
    "General",
    "IsActive",
    "Loaded",
    "Logging",
    "Plugins",
    "Provider",
    "SecretStores",
    "Service",
    "Settings",
    "from_mapping",
    "load",
    "parse_duration",
    "read",
    "spell_duration",
    "structure",
    "structure_fields",
]
