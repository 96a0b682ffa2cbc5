"""YAML with PyYAML's safe loader, made as strict as TOML. Imported only when a YAML file is read."""

from typing import Any

import yaml

from switchgear.config.formats import Unreadable


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key in seen:
                raise Unreadable(f"the key {key!r} appears twice in one table ({_place(key_node.start_mark)})")
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_yaml(text: str) -> Any:
    try:
        return yaml.load(text, _Loader)  # noqa: S506, the loader is a safe one
    except yaml.MarkedYAMLError as error:
        raise Unreadable(f"not valid YAML: {error.problem} ({_place(error.problem_mark)})") from None
    except yaml.YAMLError as error:
        raise Unreadable(f"not valid YAML: {error}") from None


def _place(mark: Any) -> str:
    return f"at line {mark.line + 1}, column {mark.column + 1}" if mark else "nobody knows where"
