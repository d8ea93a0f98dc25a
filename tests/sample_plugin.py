"""Sources of made-up plugins: one builder, and the variations that many tests begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_IMPORTS = "import os, signal, sys, time\nimport msgspec\nfrom pollctl import DeliveryError, Poller, Request, Secret, hookimpl\n"
_ROLES = ("Settings", "Batch", "State")
_ANY_WORD = 'word: str = "hello"'


def plugin(
    name: str,
    summary: str,
    types: Mapping[str, str],
    *,
    tables: Sequence[str] = (),
    effects: str = "",
    facts: str = "",
    module: str = "",
    **hooks: str,
) -> str:
    """The source of a plugin.

    Args:
        name: of the plugin.
        summary: of its facts.
        types: the fields of ``Settings``, ``Batch``, ``State`` where there is one, and of the decision, under any other name.
        tables: of its one migration, without the plugin's name before theirs: ``words (word TEXT PRIMARY KEY)``.
        effects: its kinds of effects, as a dictionary's source.
        facts: more arguments of ``Poller``.
        module: what stands before the hooks.
        **hooks: parameters and body of each hook, as in ``fetch="(run):\\n    yield Batch(1)"``.
    """
    return "\n".join(
        [
            _IMPORTS,
            *(_struct(role, fields) for role, fields in types.items()),
            _migrations(name, tables),
            module,
            _hook("poller", f"():\n    return Poller({_facts(summary, types, tables, effects, facts)})"),
            *(_hook(hook, text) for hook, text in hooks.items()),
        ]
    )


def _struct(role: str, fields: str) -> str:
    is_decision = role not in _ROLES
    lines = [*fields.splitlines(), *(["reason: str"] if is_decision else [])]
    tag = ", tag=True" if is_decision else ""
    body = "".join(f"    {line}\n" for line in lines or ["pass"])
    return f"class {role}(msgspec.Struct, frozen=True{tag}):\n{body}"


def _migrations(name: str, tables: Sequence[str]) -> str:
    if not tables:
        return ""
    statements = "".join(f'    db.execute("CREATE TABLE {name}_{table} STRICT")\n' for table in tables)
    return f"from sqlite_utils import Migrations\nmigrations = Migrations({name!r})\n\n@migrations()\ndef m001(db):\n{statements}"


def _facts(summary: str, types: Mapping[str, str], tables: Sequence[str], effects: str, more: str) -> str:
    (decision,) = types.keys() - _ROLES
    roles = [f"{role.lower()}={role}" for role in _ROLES if role in types]
    found = ["contract=1", f'summary="{summary}"', *roles, f"decision={decision}"]
    found += ["migrations=lambda: migrations"] if tables else []
    found += [f"effects={effects}"] if effects else []
    return ", ".join([*found, *filter(None, [more])])


def _hook(name: str, text: str) -> str:
    return f"@hookimpl\ndef pollctl_{name}{text.rstrip()}\n"


def indented(body: str) -> str:
    """Lines of a hook's body."""
    return "\n".join(f"    {line}" for line in body.splitlines())


def plain(*, settings: str = _ANY_WORD, effects: str = "", facts: str = "", module: str = "", **hooks: str) -> str:
    """A plugin that does little: it counts to two and keeps nothing."""
    usual = {
        "fetch": "(run):\n    yield Batch(1)\n    yield Batch(2)",
        "decide": '(batch, settings):\n    return [Seen(batch.number, f"{settings.word} {batch.number}")]',
        "apply": "(db, decisions, run):\n    run.count(seen=len(decisions))",
    }
    types = {"Settings": settings, "Batch": "number: int", "Seen": "number: int"}
    return plugin("plain", "Counts to two.", types, effects=effects, facts=facts, module=module, **(usual | hooks))


PLAIN = plain()


def parrot_source(
    *, settings: str = 'plan: tuple[str, ...] = ("one", "two")', facts: str = "", module: str = "", **hooks: str
) -> str:
    """A plugin with every hook, called ``parrot``: it learns the words of its plan, and says each new one in ``said.txt``."""
    usual = {
        "fetch": "(run, db):\n    for word in run.settings.plan:\n        yield Batch(word)",
        "load": '(db):\n    return State([row["word"] for row in db.query("SELECT word FROM parrot_words")])',
        "decide": '(state, batch):\n    return [] if batch.word in state.known else [Learn(batch.word, "never heard before")]',
        "apply": """(db, decisions, run):
    for learn in decisions:
        db.table("parrot_words").insert({"word": learn.word})
        run.effect("say", learn.word, {"word": learn.word})
        run.count(learned=1)""",
        "deliver": """(effect, run):
    with open("said.txt", "a") as said:
        said.write(effect.key + "\\n")
    return {"said": effect.payload["word"]}""",
        "settle": """(db, effect, result):
    db.table("parrot_said").insert({"word": effect.payload["word"], "result": result["said"]})""",
    }
    return plugin(
        "parrot",
        "Learns words.",
        {"Settings": settings, "Batch": "word: str", "State": "known: list[str]", "Learn": "word: str"},
        tables=["words (word TEXT PRIMARY KEY)", "said (word TEXT PRIMARY KEY, result TEXT)"],
        effects='{"say": "keyed", "shout": "hold"}',
        facts=facts,
        module=module,
        **(usual | hooks),
    )


ODD = plugin(
    "odd",
    "Behaves as its settings say.",
    {"Settings": 'how: str = "well"\nrule: int = 1', "Batch": "number: int", "Seen": "number: int"},
    effects='{"word": "hold"}',
    facts='defaults={"record": "all"}',
    fetch="""(run):
    how = run.settings.how
    if how == "prints":
        print("stray words")
        os.system("echo words of a child")
    if how == "hangs":
        while True:
            time.sleep(0.05)
    if how == "waits":
        open("waiting", "w").close()
        while not run.is_stopping:
            time.sleep(0.02)
    if how == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "is down":
        run.failed("everything", "\\x1b[31mno answer")
        return
    yield Batch(1)
    if how == "half":
        run.reached("one half")
        run.failed("the other half", "no answer")
    if how == "raises":
        raise RuntimeError("boom")""",
    decide="""(batch, settings):
    if settings.how == "decide raises" and settings.rule == 1:
        raise ValueError("cannot decide")
    return [Seen(batch.number, "by rule one")]""",
    apply="""(db, decisions, run):
    run.count(seen=len(decisions))
    if run.settings.how in ("tells", "tells in vain"):
        run.effect("word", f"word of {run.id}", {"says": "hello"}, lane="people")""",
    deliver="""(effect, run):
    if run.settings.how == "tells in vain":
        raise DeliveryError("nobody \\x1b[1mhome", permanent=True)
    return {"said": effect.payload["says"]}""",
)
"""A plugin that behaves as its setting ``how`` says."""


def sender_source(**hooks: str) -> str:
    """A plugin called ``sender`` that posts each word it reads to a web address, once: the least that can lose or double an effect."""
    usual = {
        "fetch": """(run):
    words = list(run.settings.words)
    for start in range(0, len(words), 2):
        yield Batch(words[start:start + 2])""",
        "load": '(db):\n    return State([row["word"] for row in db.query("SELECT word FROM sender_words")])',
        "decide": """(state, batch):
    return [Learn(word, "never heard before") for word in batch.words if word not in state.known]""",
        "apply": """(db, decisions, run):
    for learn in decisions:
        db.execute("INSERT INTO sender_words (word) VALUES (?)", [learn.word])
        run.effect("say", learn.word, {"word": learn.word}, lane=learn.word[0])
        run.count(learned=1)""",
        "deliver": """(effect, run):
    headers = {"Idempotency-Key": effect.key, "Content-Type": "text/plain"}
    answer = run.send(Request(url=run.settings.sink, method="POST", headers=headers, body=effect.key.encode()))
    if not answer.is_ok:
        raise DeliveryError(f"the sink answered {answer.status}: {answer.error}")
    return {"status": answer.status}""",
        "settle": """(db, effect):
    db.execute("UPDATE sender_words SET told = told + 1 WHERE word = ?", [effect.key])""",
    }
    return plugin(
        "sender",
        "Tells words.",
        {
            "Settings": "sink: str\nwords: tuple[str, ...] = ()",
            "Batch": "words: list[str]",
            "State": "known: list[str]",
            "Learn": "word: str",
        },
        tables=["words (word TEXT PRIMARY KEY, told INTEGER NOT NULL DEFAULT 0)"],
        effects='{"say": "keyed"}',
        **(usual | hooks),
    )
