"""The README's provider works as it stands there."""

import asyncio
import re
from pathlib import Path
from typing import Any

from switchgear import ProviderManager, Secret
from switchgear_http.testing import LocalServer, Received, Reply

README = Path(__file__).parents[1] / "README.md"


def vendor(request: Received) -> Reply:
    assert request.headers["authorization"] == "Bearer key"
    return Reply.json({"text": request.json["text"].upper()} if request.body else {})


def test_the_readmes_provider_answers() -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    found: dict[str, Any] = {"__name__": "readme"}
    exec(program, found)

    async def run(url: str) -> tuple[str, str]:
        async with ProviderManager([found["Shout"](api_key=Secret("key"), base_url=url)]) as manager:
            result = await manager.process("hello")
            (status,) = (await manager.health_check_all()).values()
            return result.output, status.value

    with LocalServer(vendor) as server:
        assert asyncio.run(run(server.url)) == ("HELLO", "available")
