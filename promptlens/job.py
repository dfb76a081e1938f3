"""What a prompt is analysed with: host, model and host options, out of settings files, the command line and a line's own wishes.

Later ones win. An option chosen for the run that its host does not have is an error; one out of a settings file is left out for hosts
that do not have it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from promptlens.analysis import analyze_with, default_findings, make_options
from promptlens.config import COMMAND_LINE, Settings
from promptlens.errors import OptionError, UnknownNameError
from promptlens.hosts import HOSTS, Host
from promptlens.models import Model, get_model, with_tokenizer
from promptlens.report import Finding, Found, Report, Usage

if TYPE_CHECKING:  # the rules are imported when somebody asks for findings
    from promptlens.rules import Role, RuleSettings, Selection
    from promptlens.screening import Screen

# Options with flags of their own on the command line: the flag's name and the host's.
FLAGS = {"steps": "steps", "comma_backtrack": "comma_padding_backtrack", "emphasis": "emphasis"}

_YES = ("true", "yes", "on", "1")
_NO = ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Job:
    """Names of host and model; options `chosen` for this run, and `usual` ones that hold where the host has them; which rules run, and how.

    `t5_tokenizer` is the file of T5's vocabulary, `installs` the folders it is looked for in where none is named. `rules` and `limits` are
    None for all rules with their defaults. `clip_skip` is for what runs text encoders: it changes no token.
    """

    host: str
    model: str
    chosen: Mapping[str, Any] = field(default_factory=dict)
    usual: Mapping[str, Any] = field(default_factory=dict)
    t5_tokenizer: str = ""
    installs: tuple[str, ...] = ()
    rules: Selection | None = None
    limits: RuleSettings | None = None
    clip_skip: int | None = None

    def report(self, text: str, *, negative: bool = False) -> Report:
        """The analysis of a prompt; `negative`: as the negative prompt, where that makes a difference to the host."""
        return self.analysis("negative" if negative else "positive")(text)

    def analysis(
        self, role: Role = "positive", *, template: bool = False, encoder: str | None = None, silenced: tuple[str, ...] = ()
    ) -> Callable[[str], Report]:
        """What analyses prompts of a role, with everything looked up: what to call in a loop.

        `template`: they are styles that the user's words are added to. `encoder`: the one that reads them, if there is only one.
        `silenced` are beginnings of codes of which nothing is said.
        """
        host, model, made = HOSTS[self.host], self._model(), self._options(role)
        if encoder is not None:
            model = replace(model, encoders=tuple(e for e in model.encoders if e.name == encoder))
        found = self._found(role, template)
        if silenced:
            found = partial(_without, found, silenced)
        return lambda text: analyze_with(text, host, model, made, found)

    def screen(self, role: Role = "positive") -> Screen | None:
        """What tells quickly that nothing will be found in a prompt of a role; None where nothing can."""
        from promptlens.rules import DEFAULT_SETTINGS, EVERY_RULE
        from promptlens.screening import make_screen  # only for files

        limits = replace(self.limits or DEFAULT_SETTINGS, role=role)
        return make_screen(HOSTS[self.host], self._model(), self._options(role), self.rules or EVERY_RULE, limits)

    def _options(self, role: Role) -> Any:
        """The host's options for prompts of a role."""
        host = HOSTS[self.host]
        known = host.options.__dataclass_fields__
        options = {name: value for name, value in self.usual.items() if name in known} | dict(self.chosen)
        if role == "negative" and "negative" in known:
            options["negative"] = True
        return make_options(host, options)

    def _model(self) -> Model:
        """The model, with the file of T5's vocabulary where one is named or an install has it."""
        model = get_model(self.model)
        if self.t5_tokenizer or not self.installs or all(e.vocabulary != "t5" for e in model.encoders):
            return with_tokenizer(model, self.t5_tokenizer)
        from promptlens.t5_files import find_file  # only for models with T5

        return with_tokenizer(model, str(find_file(self.installs) or ""))

    def _found(self, role: Role, template: bool) -> Found:
        """What finds the findings of a prompt of this role."""
        if self.rules is None and self.limits is None and role == "positive" and not template:
            return default_findings
        from promptlens.rules import DEFAULT_SETTINGS, EVERY_RULE, run_rules  # when somebody asks for findings of their own kind

        limits = replace(self.limits or DEFAULT_SETTINGS, role=role)
        return partial(run_rules, selection=self.rules or EVERY_RULE, settings=replace(limits, template=True) if template else limits)

    def for_host(self, host: str) -> Job:
        """The job for another host; this one's options hold as far as that has them."""
        return self if host == self.host else replace(self, host=host, chosen={}, usual={**self.usual, **self.chosen})

    def for_line(self, options: Mapping[str, Any] | None) -> Job:
        """The job of one line with options of its own; where it names another host, this job's options hold as far as that has them."""
        if not options:
            return self
        own = dict(options)
        host, model = own.pop("host", self.host), own.pop("model", self.model)
        for name, value in (("host", host), ("model", model)):
            if not isinstance(value, str):
                raise OptionError(f"{name} must be a string, not {value!r}.")
        job = self.for_host(host)
        return replace(job, model=model, chosen={**job.chosen, **own})


def _without(found: Found, silenced: tuple[str, ...], usage: Usage) -> tuple[Finding, ...]:
    """What is found, but for codes that begin so."""
    every = found if isinstance(found, tuple) else found(usage)
    return tuple(finding for finding in every if not finding.code.startswith(silenced))


def make_job(settings: Settings) -> Job:
    """The job that settings describe. Raises what is wrong with them: `UnknownNameError` or `OptionError`."""
    chosen = {name: value for name, value in settings.options.items() if settings.origins[f"options.{name}"] == COMMAND_LINE}
    usual = {name: value for name, value in settings.options.items() if name not in chosen}
    if isinstance(usual.get("embeddings"), str):  # a folder is read once, not for each prompt
        usual["embeddings"] = with_embeddings(usual["embeddings"], {})
    if settings.installs and "embeddings" not in settings.options:
        from promptlens.known_names import installed  # only for those who name their installs

        found = installed(settings.installs, settings.host).embeddings
        if found is not None:
            usual["embeddings"] = found
    rules, limits = _rules(settings), _limits(settings)
    job = Job(settings.host, settings.model, chosen, usual, settings.t5_tokenizer, settings.installs, rules, limits, settings.clip_skip)
    job.report("")
    return job


def _rules(settings: Settings) -> Selection | None:
    """Which rules run; None for all of them."""
    if not (settings.select or settings.ignore or settings.extend_select):
        return None
    from promptlens.rules import Selection

    return Selection(settings.select or ("ALL",), settings.ignore, settings.extend_select)


def _limits(settings: Settings) -> RuleSettings | None:
    """What the rules measure by; None for the defaults."""
    if not (settings.limits or settings.loras or settings.wildcards or settings.installs):
        return None
    from promptlens.known_names import installed, lora_names, wildcard_texts
    from promptlens.rules import RuleSettings

    known = installed(settings.installs, settings.host)
    loras = lora_names(settings.loras) if settings.loras else known.loras
    wildcards = wildcard_texts(settings.wildcards) if settings.wildcards else known.wildcards
    return RuleSettings(**settings.limits, loras=loras, wildcards=wildcards)


def options_from_flags(settings: Settings, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Host options that the command line names: `--set NAME=VALUE` and the flags of their own, by their host's names."""
    found: dict[str, Any] = {}
    for text in asked["settled"]:
        name, equals, value = text.partition("=")
        if not equals:
            raise OptionError(f"--set takes NAME=VALUE, not {text!r}.")
        found[name.strip()] = parse_option(HOSTS[settings.host], name.strip(), value.strip())
    for flag, option in FLAGS.items():
        if asked[flag] is not None:
            found[option] = parse_option(HOSTS[settings.host], option, str(asked[flag]))
    folder, named = asked["embeddings_dir"], asked["embedding"]
    if folder is not None or named or isinstance(found.get("embeddings"), str):
        base = folder or found.get("embeddings") or settings.options.get("embeddings")
        found["embeddings"] = with_embeddings(base, dict(map(_embedding, named)))
    return found


def _embedding(text: str) -> tuple[str, int]:
    name, _, vectors = text.rpartition("=")
    if not name or not vectors.isdecimal():
        raise OptionError(f"--embedding takes NAME=VECTORS, such as easynegative=8, not {text!r}.")
    return name, int(vectors)


def parse_option(host: Host, name: str, text: str) -> Any:
    """The value of a host option given as text, by the option's type: a number, yes or no, one of its choices, or a folder.

    Raises `UnknownNameError` or `OptionError`.
    """
    known = host.options.__dataclass_fields__
    if name not in known:
        raise UnknownNameError("option", name, known, where=host.name)
    kind = get_type_hints(host.options)[name]
    if type(None) in get_args(kind):
        if text.lower() == "none":
            return None
        kind = next(k for k in get_args(kind) if k is not type(None))
    if get_origin(kind) is Literal:
        return next((c for c in get_args(kind) if str(c).lower() == text.lower()), text)  # the host itself names its choices
    if kind is bool:
        if text.lower() not in _YES + _NO:
            raise OptionError(f"{name} must be true or false, not {text!r}.")
        return text.lower() in _YES
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            raise OptionError(f"{name} must be a {'whole number' if kind is int else 'number'}, not {text!r}.") from None
    return text


def with_embeddings(base: Any, added: Mapping[str, int]) -> Mapping[str, int]:
    """Embeddings out of a folder or a table, read once, with more by name and number of vectors."""
    if isinstance(base, (str, Path)):
        from promptlens.embeddings import read_folder  # only for those who name a folder

        base = read_folder(Path(base))
    return {**(base or {}), **added}
