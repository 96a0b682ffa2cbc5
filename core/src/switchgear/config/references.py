"""What stands behind one `${...}`: a variable, a file or an entry of a secret store."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

SecretStores = Mapping[str, Callable[[str, str | None], str]]

SECRET_FILE_LIMIT = 64 * 1024
_VARIABLE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.ASCII | re.DOTALL)
_STORED = re.compile(r"(?P<store>[a-z][a-z0-9_-]*):(?P<name>[^#]+)(?:#(?P<key>.+))?", re.ASCII)


class Unresolved(Exception):
    """A reference that leads nowhere. The texts never show what other references led to."""

    def __init__(self, message: str, remedy: str, *, unset: bool = False) -> None:
        super().__init__(message)
        self.remedy = remedy
        # Only what is merely not there on this machine may be passed over by `check --without-secrets`.
        self.unset = unset


@attrs.frozen(eq=False, repr=False)
class Found:
    text: str
    secret: bool = False


@attrs.frozen(kw_only=True, eq=False, repr=False)
class References:
    """Looks references up. `offline` is for checking without secrets: nothing but the environment is asked."""

    environ: Mapping[str, str]
    directory: Path
    stores: SecretStores = attrs.field(factory=dict)
    offline: bool = False
    _fetched: dict[str, Found] = attrs.field(factory=dict, init=False)

    def look_up(self, body: str) -> Found:
        """`body` is what stands between the braces. Raises `Unresolved`."""
        if variable := _VARIABLE.fullmatch(body):
            return self._variable(variable["name"], variable["default"])
        if not (stored := _STORED.fullmatch(body)):
            raise Unresolved(
                f"${{{body}}} is not a reference",
                "Write ${NAME}, ${NAME:-default}, ${file:path} or ${store:name#key}, and $${ for a plain ${",
            )
        if self.offline:
            raise Unresolved(f"${{{body}}} is not looked up", "Check again with secrets", unset=True)
        # A store answers once for all places that name the same entry.
        if body not in self._fetched:
            self._fetched[body] = Found(self._stored(**stored.groupdict()), secret=True)
        return self._fetched[body]

    def _variable(self, name: str, default: str | None) -> Found:
        value = self.environ.get(name)
        if default is not None and not value:
            if "${" in default:
                raise Unresolved(f"the default of ${{{name}:-...}} holds another ${{", "References do not nest")
            return Found(default)
        if value is None:
            raise Unresolved(
                f"${{{name}}} is not set",
                f"Set {name} in the environment or in .env beside the file, or write ${{{name}:-default}}",
                unset=True,
            )
        return Found(value)

    def _stored(self, store: str, name: str, key: str | None) -> str:
        if store == "file":
            return read_secret_file(self.directory / (f"{name}#{key}" if key else name))
        try:
            found = self._store(store)(name, key)
        except Unresolved:
            raise
        # A store is a plugin's code that talks to a vendor: whatever it raises is one more unresolved reference.
        except Exception as error:
            message = f"secret store {store!r} does not give {name!r} ({_reason(error)})"
            raise Unresolved(message, "Check the name, and the rights of the credentials in use") from error
        if not isinstance(found, str):
            raise Unresolved(f"secret store {store!r} gave a {type(found).__name__}, not text", "Name a #key in it")
        return found

    def _store(self, name: str) -> Callable[[str, str | None], str]:
        try:
            return self.stores[name]
        except KeyError:
            known = ", ".join(sorted({"file", *self.stores}))
            remedy = f"Known: {known}. Install the plugin that offers it"
            raise Unresolved(f"no secret store is called {name!r}", remedy) from None


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def read_secret_file(path: Path) -> str:
    """The file's text without the newline at its end, which editors add and nobody means."""
    try:
        if not path.is_file():
            raise Unresolved(f"there is no file {path}", "Create it; paths start at the configuration's folder")
        with path.open("rb") as file:
            content = file.read(SECRET_FILE_LIMIT + 1)
        if len(content) > SECRET_FILE_LIMIT:
            raise Unresolved(f"{path} is larger than {SECRET_FILE_LIMIT} bytes", "Name a file that holds one value")
        return content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise Unresolved(f"{path} cannot be read ({error.strerror})", "Check its permissions") from error
    except UnicodeDecodeError:
        # Not chained: the decoder's error holds the content.
        raise Unresolved(f"{path} is not UTF-8 text", "Store text, base64 if need be") from None
