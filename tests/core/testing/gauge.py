"""A small plugin that asks, notes and tells, for tests of the bench: the level of a river."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plugin_package import make_plugin_package
from sample_plugin import plugin

from pollctl.testing import Bench

URL = "https://gauge.example.net/level"
SECTION = f'url = "{URL}"\ntell = "json://inbox/crew"'
HOOKS = {
    "fetch": """(run):
    for answer in run.get_many([Request(url=run.settings.url, headers={"Authorization": run.settings.token.reveal()})]):
        if not answer.is_ok:
            run.failed("gauge", answer.error.message if answer.error else f"it answered {answer.status}")
            continue
        run.reached("gauge")
        yield Batch(msgspec.json.decode(answer.body)["cm"])""",
    "load": """(db):
    row = db.execute("SELECT cm FROM gauge_levels ORDER BY at DESC LIMIT 1").fetchone()
    return State(row[0] if row else 0)""",
    "decide": """(state, batch, settings):
    noted = [Note(batch.cm, False, f"{batch.cm} cm")]
    return noted + [Note(batch.cm, True, "it rose")] if state.cm < settings.mark <= batch.cm else noted""",
    "apply": """(db, decisions, run):
    from pollctl import to_text
    at = to_text(run.now)
    for note in decisions:
        if note.is_high:
            run.effect("high", f"high:{at}", {"cm": note.cm}, lane="crew")
        else:
            db.execute("INSERT INTO gauge_levels VALUES (?, ?, 0) ON CONFLICT (at) DO NOTHING", [at, note.cm])
    run.count(levels=1)""",
    "deliver": """(effect, run):
    run.notify(run.settings.tell, title="High water", body=f"{effect.payload['cm']} cm", key=effect.key)""",
    "settle": """(db, effect):
    db.execute("UPDATE gauge_levels SET told = 1 WHERE at = ?", [effect.key.removeprefix("high:")])""",
}


def source(**hooks: str) -> str:
    """Its module; *hooks* in place of its own."""
    return plugin(
        "gauge",
        "Is the river above its mark?",
        {
            "Settings": 'url: str\nmark: int = 250\ntell: str = ""\ntoken: Secret = Secret("")',
            "Batch": "cm: int",
            "State": "cm: int",
            "Note": "cm: int\nis_high: bool",
        },
        tables=["levels (at TEXT PRIMARY KEY, cm INTEGER NOT NULL, told INTEGER NOT NULL)"],
        effects='{"high": "keyed"}',
        **(HOOKS | hooks),
    )


def gauge(folder: Path, settings: Any = SECTION, **hooks: str) -> Bench:
    """A bench with the plugin on it; *hooks* in place of its own."""
    env = make_plugin_package(folder, "gauge", source(**hooks))
    (folder / "bench").mkdir()
    return Bench("gauge", settings, folder=folder / "bench", env={"PYTHONPATH": env["PYTHONPATH"]})
