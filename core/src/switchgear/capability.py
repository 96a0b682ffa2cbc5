"""The contract of a capability: what a kind of work takes, gives, and how it may be repeated."""

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from switchgear.errors import InvalidInput
from switchgear.fingerprints import content_size, fingerprint_of
from switchgear.provider import RequestT
from switchgear.results import OutputT, ProviderResult


class Effect(Enum):
    """What happens when the same request is sent twice."""

    PURE = "pure"  # nothing: repeat freely
    IDEMPOTENT = "idempotent"  # nothing, if both carry the same key
    ONCE = "once"  # it happens twice: an unknown outcome is in doubt, and nobody else is asked


class Validator(Protocol):
    """Looks at an answer and turns a bad one down.

    Its attrs fields are its options. `blocking = True` on the class has it run in a worker thread. A third parameter
    named `refused` receives the answers of this call that were turned down before, each a `ProviderResult`.
    """

    # The rest stands for `refused`, which type checkers would want of everybody.
    def check(self, request: Any, result: ProviderResult[Any], *args: Any, **kwargs: Any) -> None:
        """Raise `InvalidResult`, with a score from 0 to 1, if the answer is not good enough."""
        ...


class Capability(Generic[RequestT, OutputT]):
    """A kind of work. A subclass fills in the class attributes and `request`; the rest has defaults.

    `version` changes whenever the same request may mean another answer; `suffixes` are the file suffixes it reads
    (`.png`), for directories on the command line; `formats` are what `render` knows, and `drawings` the suffixes of the
    files that `annotate` can write. `units` are what usage is counted in (`pages`): a price of another unit is an error
    then; empty, nobody knows. `default_service` is the `[services.<name>]` table that the quick start uses and
    `switchgear init` writes: of its providers those that are installed, and after them every other installed one.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    effect: ClassVar[Effect] = Effect.PURE
    request_type: ClassVar[type[Any]]
    output_type: ClassVar[type[Any]]
    validators: ClassVar[Mapping[str, type[Any]]] = {}
    suffixes: ClassVar[Sequence[str]] = ()
    formats: ClassVar[Sequence[str]] = ("text",)
    units: ClassVar[Collection[str]] = ()
    drawings: ClassVar[Sequence[str]] = (".png",)
    default_service: ClassVar[Mapping[str, Any]] = {}

    def request(self, value: Any, **options: Any) -> RequestT:
        """Make a request from what a caller has at hand (a path, a text); options come as text or typed.

        Raises `InvalidInput` where value or options make no request.
        """
        if isinstance(value, self.request_type) and not options:
            return value  # type: ignore[no-any-return]
        raise InvalidInput(f"{self.name}: cannot make a request from {type(value).__name__}")

    def fingerprint(self, request: RequestT) -> bytes | None:
        """All of the request that changes the answer, or a digest of it; None: never cached.

        By default all its fields, but those of `metadata={"answer": False}`; None where one of them has no canonical
        form (see `switchgear.canonical()`).
        """
        try:
            return fingerprint_of(request)
        except TypeError:
            return None

    def content_size(self, request: RequestT) -> int:
        """About how many bytes `fingerprint` has to read; from 256 KiB on it is called in a worker thread.

        By default those of all texts, binary values and files in the request. Not asked where the request is a text.
        """
        return content_size(request)

    def to_json(self, output: OutputT) -> Any:
        """The answer as JSON-ready values."""
        return output

    def render(self, output: OutputT, format: str = "text") -> str:
        """The answer as text in one of `formats`."""
        return str(output)

    def annotate(self, request: RequestT, output: OutputT, suffix: str = ".png") -> bytes | None:
        """The request with the answer drawn on it, as a file with this suffix; None where that makes no sense."""
        return None


CapabilityT = TypeVar("CapabilityT", bound=Capability[Any, Any])
AnyCapability = Capability[Any, Any]
