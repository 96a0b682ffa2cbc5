"""What a translator answers."""

import attrs


@attrs.frozen
class TranslationOutput:
    """The translations, one for each text of the request, in its order.

    `texts`: None where this item failed and others did not. `detected`: the language each text was found to be in, as a
    BCP 47 tag, None where it was not looked for. `billed_characters`: what the vendor says it charges for, None where
    it does not say. `providers`: who translated each item; only documents have it (see `translate`), and it is empty
    elsewhere.
    """

    texts: tuple[str | None, ...] = attrs.field(repr=False)
    detected: tuple[str | None, ...] = ()
    billed_characters: int | None = None
    providers: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not self.detected:
            object.__setattr__(self, "detected", (None,) * len(self.texts))
        if len(self.detected) != len(self.texts):
            raise ValueError(f"{len(self.detected)} detected languages for {len(self.texts)} texts")
        if self.providers and len(self.providers) != len(self.texts):
            raise ValueError(f"{len(self.providers)} providers for {len(self.texts)} texts")

    @property
    def missing(self) -> tuple[int, ...]:
        """Places of the items that failed, from 0."""
        return tuple(index for index, text in enumerate(self.texts) if text is None)
