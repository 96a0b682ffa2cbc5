"""When to look at a provider that traffic says nothing about."""

import attrs
from attrs import field

from switchgear.durations import Duration
from switchgear.rules import Wait, alike, differing
from switchgear.strategy import Random


@attrs.frozen(kw_only=True)
class Health:
    """`[services.<name>.health]`: active checks; without the table, health is what traffic shows."""

    __repr__, __eq__ = differing, alike

    interval: Wait = field(default=Duration(30.0), metadata={"help": "about how often a provider is checked"})
    timeout: Wait = field(default=Duration(5.0), metadata={"help": "the longest a check may take"})

    def pause(self, random: Random) -> float:
        """Seconds to the next check: the interval give or take a fifth, so that processes do not check in step."""
        return self.interval * (0.8 + 0.4 * random.random())
