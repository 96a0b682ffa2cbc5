"""An answer in the form that was asked for."""

import json
from typing import TYPE_CHECKING, Any

import attrs

from switchgear.cli.call_flags import CallOptions
from switchgear.cli.calls import Answer
from switchgear.cli.drawings import Drawings
from switchgear.errors import SwitchgearError
from switchgear.messages import plugin_bug

if TYPE_CHECKING:
    from switchgear.capability import AnyCapability


@attrs.frozen
class Shown:
    """What to print of an answer: a text, or JSON-ready values, or else why there is none."""

    value: Any = None
    error: SwitchgearError | None = None


def show(answer: Answer, capability: "AnyCapability", options: CallOptions, drawings: Drawings | None) -> Shown:
    """Render it, and draw it where that was asked for."""
    if answer.result is None:
        return Shown(error=answer.error)
    try:
        value = _render(answer.result.output, capability, options)
        if drawings is not None:
            drawings.draw(answer, answer.result.output)
    except SwitchgearError as error:
        return Shown(error=error)
    # Foreign code: an answer that its capability cannot show must not keep the others from being shown.
    except Exception as error:
        return Shown(error=plugin_bug(error))
    return Shown(value)


def _render(output: Any, capability: "AnyCapability", options: CallOptions) -> Any:
    if not options.json:
        return capability.render(output, options.format)
    value = capability.to_json(output)
    json.dumps(value, allow_nan=False)
    return value
