"""Every error PromptLens raises on purpose.

    PromptLensError            wrong use or unreadable input: exit code 2 on the command line
    ├── UnknownNameError       a host, model, encoder, option or setting that does not exist
    ├── UnsupportedError       a host that does not run the model
    ├── PluginError            a host of another package that does not work
    ├── OptionError            a known option with a value that makes no sense
    ├── InputError             a file or stream that cannot be read as what it is said to be
    ├── ConfigError            a settings file that cannot be used
    ├── VocabularyError        a vocabulary is missing, damaged or not what it should be
    ├── WeightsError           text-encoder weights are missing, refused or not what they should be
    └── ConditioningError      there is no conditioning tensor: the host fails on the prompt, or its arithmetic is not known

A bad *prompt* is never an error: it becomes a finding, or `usage.host_error` where the host itself fails on it.
A message says what, where, why and the way out.
"""

from __future__ import annotations

from collections.abc import Iterable


class PromptLensError(Exception):
    """Base of all of them; `str(error)` is one message fit for a user."""


class UnknownNameError(PromptLensError):
    """A name that is not in its table. The message lists the known ones and offers the nearest."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str = "") -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        self.suggestion = nearest(name, self.known) if isinstance(name, str) else None
        prefix = f"{where}: " if where else ""
        listed = ", ".join(self.known) or "none"
        hint = f" Did you mean '{self.suggestion}'?" if self.suggestion else ""
        super().__init__(f"{prefix}Unknown {kind} {name!r}. Known: {listed}.{hint}")


class UnsupportedError(PromptLensError):
    """A host and a model that do not go together."""


class PluginError(PromptLensError):
    """A host of another package cannot be used."""


class OptionError(PromptLensError):
    """An option value out of range or of the wrong type."""


class InputError(PromptLensError):
    """Input that cannot be read: the message names the file (or stdin), the place and the reason."""


class ConfigError(PromptLensError):
    """A settings file with a syntax error or a value that makes no sense."""


class VocabularyError(PromptLensError):
    """A vocabulary file is missing, or is not what it is said to be."""


class WeightsError(PromptLensError):
    """Text-encoder weights cannot be used."""


class ConditioningError(PromptLensError):
    """A host has no conditioning tensor for a prompt, or it is not known how the host makes one."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to `name`, or None when nothing is close.

    >>> nearest("comfi", ["a1111", "comfyui", "diffusers"])
    'comfyui'
    """
    import difflib  # 2 ms: only when something is already wrong

    folded = {k.casefold(): k for k in known}
    hits = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.55)
    if hits:
        return folded[hits[0]]
    starts = [k for f, k in folded.items() if name and f.startswith(name.casefold())]
    return starts[0] if len(starts) == 1 else None
