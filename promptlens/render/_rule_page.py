"""The page of `promptlens rules CODE` and the table of `promptlens rules`.

A page shows the two examples of its rule and what is really found in them: they are analysed when it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from promptlens.analysis import analyze
from promptlens.hosts import HOSTS
from promptlens.models import get_model
from promptlens.render._runs import Row, Run, quoted, wrap
from promptlens.render._table import Column, Table
from promptlens.report import Finding
from promptlens.rules import DEFAULT_SETTINGS, RULES, Example, Rule, Selection, run_file_rules, run_pair_rules, run_rules
from promptlens.rules._edits import Edits

EXAMPLE_CHARS = 2_000  # longer than every example there is: they are shown whole


def findings_of(example: Example, code: str) -> tuple[Finding, ...]:
    """What one rule finds in an example."""
    only = Selection((code,))
    if example.note is not None:
        return run_file_rules(example.note, only, example.settings)
    usage = analyze(example.text, example.host, example.model, **example.options).usage
    found = run_rules(usage, only, example.settings)
    if example.negative is None:
        return found
    negative = analyze(example.negative, example.host, example.model, **example.options).usage
    return (*found, *run_pair_rules(usage, negative, only, example.settings))


def rule_table(codes: Sequence[str]) -> Table:
    """The rules with what each looks for."""
    columns = (Column("code", "code"), Column("name", "name"), Column("severity", "severity"), Column("fires when", "summary"))
    records = [{column.key: getattr(RULES[code], column.key) for column in columns} for code in codes]
    return Table(columns, records, style_of=lambda record: _style(record["severity"]))


def _style(severity: str) -> str:
    return "" if severity == "info" else severity


def rule_record(rule: Rule) -> dict[str, Any]:
    """A rule as plain data, with what it finds in its examples (docs/json.md)."""
    wrong, right = (_example_record(example, rule.code) for example in (rule.wrong, rule.right))
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity,
        "scopes": list(rule.scopes),
        "summary": rule.summary,
        "why": rule.why,
        "wrong": wrong,
        "right": right,
    }


def _example_record(example: Example, code: str) -> dict[str, Any]:
    record: dict[str, Any] = {"host": example.host, "model": example.model, "options": dict(example.options)}
    record["settings"] = _settings(example)
    if example.note is not None:
        record["note"] = example.note._asdict()
    else:
        record |= {"prompt": example.text, "negative": example.negative}
    found = findings_of(example, code)
    record["messages"] = [finding.message for finding in found]
    record["fixed"] = _fixed(example, found)
    return record


def _settings(example: Example) -> dict[str, Any]:
    """The settings of rules that an example needs, those at their defaults left out; texts of wildcards as lists."""
    given = {f.name: getattr(example.settings, f.name) for f in fields(example.settings)}
    changed = {name: value for name, value in given.items() if value != getattr(DEFAULT_SETTINGS, name)}
    return {name: _plain(value) for name, value in changed.items()}


def _plain(value: Any) -> Any:
    if hasattr(value, "items"):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return list(value)
    return sorted(value) if isinstance(value, (set, frozenset)) else value


def _fixed(example: Example, found: Sequence[Finding]) -> str | None:
    """The prompt after the edits that the rule offers for it; None where it offers none."""
    edits = Edits()
    made = [edits.add(finding.edit) for finding in found if finding.edit is not None]
    return edits.applied(example.text) if any(made) else None


def rule_page(rule: Rule, width: int) -> Iterator[Row]:
    """Everything there is to say about a rule."""
    head = [Run(rule.code, _style(rule.severity) or "title"), Run(f" {rule.name}", "title"), Run(f" · {rule.severity}", "dim")]
    yield from wrap(head, width, indent="  ")
    yield from wrap([Run(f"Fires when {rule.summary}.")], width)
    yield []
    yield from wrap([Run(rule.why)], width)
    yield []
    yield from _example("Wrong", rule.wrong, rule.code, width)
    yield []
    yield from _example("Right", rule.right, rule.code, width)


def _example(title: str, example: Example, code: str, width: int) -> Iterator[Row]:
    indent = "  "
    yield from wrap([Run(title, "title"), Run(_where(example), "dim")], width, indent=indent)
    if example.note is None:
        yield from wrap([Run(quoted(example.text, EXAMPLE_CHARS))], width, first=indent, indent=indent)
    else:
        yield from wrap([Run(example.note.message)], width, first=indent, indent=indent)
    if example.negative is not None:
        negative = [Run("negative: ", "dim"), Run(quoted(example.negative, EXAMPLE_CHARS))]
        yield from wrap(negative, width, first=indent, indent=indent)
    found = findings_of(example, code)
    for finding in found:
        yield from wrap([Run(f"{code} ", _style(finding.severity) or "title"), Run(finding.message)], width, first="    ", indent="      ")
        yield from wrap([Run(finding.hint, "dim")], width, first="      ", indent="      ")
    fixed = _fixed(example, found)
    if fixed is not None:
        safe = all(finding.edit.safe for finding in found if finding.edit)
        yield from wrap(
            [Run("The fix" if safe else "A fix, which is a guess", "ok"), Run(f": {quoted(fixed, EXAMPLE_CHARS)}")],
            width,
            first=indent,
            indent=indent,
        )


def _where(example: Example) -> str:
    """What an example is analysed with, as far as it matters."""
    if example.note is not None:
        return ": a file of which is said"
    said = [f"{HOSTS[example.host].title}, {get_model(example.model).title}"]
    said += [f"{name} = {value!r}" for name, value in (*example.options.items(), *_settings(example).items()) if name != "wildcards"]
    for name, values in _settings(example).get("wildcards", {}).items():
        said.append(f"__{name}__ is one of {', '.join(quoted(value, 60) for value in values)}")
    return f" · {', '.join(said)}"
