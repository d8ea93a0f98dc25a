"""Messages and tracebacks lead to the plugin's own line (authors.md, rule 15)."""

from __future__ import annotations

import pytest
from core.parrot import Parrot
from sample_plugin import parrot_source

IN_JSON = "(state, batch):\n    import json\n    return json.loads('{')"


def test_a_message_names_the_plugins_last_line_and_then_where_it_ended(parrot: Parrot) -> None:
    parrot.teach(parrot_source(decide=IN_JSON))
    message = parrot.report(code=1)["error"]["message"]
    line = parrot_source(decide=IN_JSON).splitlines().index("    return json.loads('{')") + 1
    assert message.endswith(f"decide raised JSONDecodeError: {ERROR} (parrot.py:{line}, in json/decoder.py)")


ERROR = "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"


def test_what_deliver_raises_is_named_with_its_line_too(parrot: Parrot) -> None:
    parrot.teach(parrot_source(deliver="():\n    raise RuntimeError('boom')"))
    parrot.report(code=3)
    line = (
        parrot_source(deliver="():\n    raise RuntimeError('boom')")
        .splitlines()
        .index("    raise RuntimeError('boom')")
    )
    assert parrot.rows("SELECT DISTINCT last_error FROM outbox") == [
        f"deliver raised RuntimeError: boom (parrot.py:{line + 1})"
    ]


IMPORTS = {
    "what is not there": ("import nonesuch", "ModuleNotFoundError: No module named 'nonesuch' (parrot.py:"),
    "no Python": ("x = = 1", "SyntaxError: invalid syntax (parrot.py:"),
    "a library that fails": ("import json; json.loads('{')", "in json/decoder.py)"),
}


@pytest.mark.parametrize(("module", "named"), IMPORTS.values(), ids=IMPORTS)
def test_an_import_error_names_file_and_line(parrot: Parrot, module: str, named: str) -> None:
    parrot.teach(parrot_source(module=module))
    message = parrot.report(code=1)["error"]["message"]
    assert "cannot be imported" in message
    assert named in message


@pytest.mark.parametrize("words", ["run parrot", "plan parrot", "check", "replay latest"])
def test_debug_prints_the_plugins_own_traceback_once(parrot: Parrot, words: str) -> None:
    parrot.configure('record = "all"')
    parrot.report()
    if words == "check":
        source = parrot_source(check="(db):\n    helper()", module="def helper():\n    return 1 / 0\n")
    else:
        source = parrot_source(
            decide="(state, batch):\n    return helper()", module="def helper():\n    return 1 / 0\n"
        )
    parrot.teach(source, 'record = "all"\nplan = ["seven"]')
    done = parrot.call("--debug", *words.split())
    assert done.stderr.count("Traceback") == 1
    first = done.stderr.partition("Traceback (most recent call last):\n")[2].splitlines()[0]
    assert 'parrot.py", line' in first
    assert "in helper" in done.stderr
    assert "Traceback" not in parrot.call(*words.split()).stderr


def test_debug_prints_the_traceback_of_an_import(parrot: Parrot) -> None:
    parrot.teach(parrot_source(module="def helper():\n    return 1 / 0\nhelper()\n"))
    for words in ("run parrot", "plan parrot", "check"):
        done = parrot.call("--debug", *words.split())
        assert "in helper\n    return 1 / 0\n" in done.stderr
