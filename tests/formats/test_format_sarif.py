"""SARIF: valid by its schema, what GitHub asks for is there, and regions and fixes are those of the files."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import jsonschema
import pytest
from format_runs import HOSTILE, of_file, of_text, written

from promptlens.render import Item, Trouble
from promptlens.render._runs import visible_text
from promptlens.rules import RULES

SCHEMA = json.loads(lzma.decompress((Path(__file__).parents[1] / "data" / "sarif" / "sarif-2.1.0-rtm.5.json.xz").read_bytes()))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)


def run_of(items: Iterable[Item]) -> dict[str, Any]:
    """The one run of a log that is valid."""
    log = json.loads(written("sarif", items))
    assert [error.message for error in VALIDATOR.iter_errors(log)] == []
    json.dumps(log, ensure_ascii=False).encode("utf-8")  # no half of a character
    (run,) = log["runs"]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        github_takes(result)
        assert ids[result["ruleIndex"]] == result["ruleId"]
    return dict(run)


def github_takes(result: dict[str, Any]) -> None:
    """What GitHub's page on SARIF support for code scanning calls required of a result; empty strings do not count."""
    assert result["message"]["text"]
    (location,) = result["locations"]
    physical = location["physicalLocation"]
    assert urlsplit(physical["artifactLocation"]["uri"]).path
    region = physical["region"]
    assert set(region) == {"startLine", "startColumn", "endLine", "endColumn"}
    assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])
    assert all(result["partialFingerprints"].values())


def test_the_schema_finds_mistakes() -> None:
    log = json.loads(written("sarif", [of_text("hat, coat, hat")]))
    log["runs"][0]["results"][0]["level"] = "info"
    assert [error.message for error in VALIDATOR.iter_errors(log)] != []


def test_every_rule_is_described() -> None:
    run = run_of([])
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [*RULES, "host-error"]
    for rule in rules:
        assert rule["name"]
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"].count("```") in (0, 4)
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_a_finding_of_a_file_and_its_fix() -> None:
    Path("my prompts").mkdir()
    Path("my prompts/100% 日本.txt").write_text("a 👍🏽 cat\n🐱 hat, coat, 🐱 hat\n", encoding="utf-8")
    run = run_of(of_file("my prompts/100% 日本.txt"))
    assert run["columnKind"] == "unicodeCodePoints"
    result = next(r for r in run["results"] if r["ruleId"] == "TB401")
    (location,) = result["locations"]
    artifact = {"uri": "my%20prompts/100%25%20%E6%97%A5%E6%9C%AC.txt", "uriBaseId": "%SRCROOT%"}
    assert location["physicalLocation"] == {
        "artifactLocation": artifact,
        "region": {"startLine": 2, "startColumn": 14, "endLine": 2, "endColumn": 19},
    }
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    assert change == {
        "artifactLocation": artifact,
        "replacements": [{"deletedRegion": {"startLine": 2, "startColumn": 12, "endLine": 2, "endColumn": 19}}],
    }


def test_a_fix_is_written_as_the_file_writes() -> None:
    text = {"class_type": "CLIPTextEncode", "inputs": {"text": 'a "red" hat, fate_(series)'}}
    workflow = {"6": text, "3": {"class_type": "KSampler", "inputs": {"positive": ["6", 0]}}}
    Path("w.json").write_text(json.dumps(workflow), encoding="utf-8")
    (result,) = run_of(of_file("w.json"))["results"]
    assert result["locations"][0]["logicalLocations"]
    ((replacement,),) = [change["replacements"] for fix in result["fixes"] for change in fix["artifactChanges"]]
    region, inserted = replacement["deletedRegion"], replacement["insertedContent"]["text"]
    content = Path("w.json").read_text(encoding="utf-8")
    fixed = content[: region["startColumn"] - 1] + inserted + content[region["endColumn"] - 1 :]
    assert json.loads(fixed)["6"]["inputs"]["text"] == 'a "red" hat, fate_\\(series\\)'


def test_guesses_and_texts_have_no_fix() -> None:
    (result,) = run_of([of_text("hat, coat, hat")])["results"]
    assert "fixes" not in result
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "%3Ctext%3E"


def test_what_cannot_be_read_is_a_notification_and_an_alert() -> None:
    items = [Trouble("is no JSON", "a.json", 3, None, 7, "TB501", "Mend it."), Trouble("no file matches this pattern.", "*.csv")]
    run = run_of([*items, of_text("hat, coat, hat")])
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    first, second = invocation["toolExecutionNotifications"]
    assert (first["message"]["text"], first["associatedRule"]) == ("is no JSON. Mend it.", {"id": "TB501"})
    assert second["message"]["text"] == "no file matches this pattern."
    assert [r["ruleId"] for r in run["results"]] == ["TB501", "TB401"]


def test_files_elsewhere_have_whole_uris() -> None:
    path = Path.cwd().parent / "else where.txt"
    path.write_text("hat, coat, hat", encoding="utf-8")
    (result,) = run_of(of_file(path))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": path.as_uri()}


def test_a_file_name_that_is_no_text() -> None:
    (result,) = run_of([Trouble("is no text", "a:b/caf\udce9.txt", code="TB501")])["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert urlsplit(uri).scheme == ""
    assert unquote_to_bytes(uri) == b"a:b/caf\xe9.txt"


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("prompt", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_prompt(prompt: str, ascii: bool) -> None:
    entry = of_text(prompt)
    run = run_of([entry])
    assert [r["ruleId"] for r in run["results"]] == [f.code for f in entry.report.findings]
    for result in run["results"]:
        text = result["message"]["text"]
        assert text == visible_text(text)
        assert "](" not in text.replace("\\](", "")
        assert "{" not in text.replace("{{", "")
    assert written("sarif", [entry], ascii=True).isascii()
