"""The pages for maintainers name what there is: rooms, layers, words, decisions, verbs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from manual_pages import CONTRIBUTING, DOCS, ROOT, blocks, pages, read, section, without_blocks

import pollctl

CODE = Path(pollctl.__file__).parent
ARCHITECTURE = DOCS / "architecture.md"
GLOSSARY = DOCS / "glossary.md"
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
HEADINGS = ["The question", "What was found", "The decision", "What holds it", "The price"]


def import_contracts() -> dict[str, Any]:
    """The contracts of import-linter, by their type."""
    settings = tomllib.loads(read(ROOT / "pyproject.toml"))["tool"]["importlinter"]
    return {contract["type"]: contract for contract in settings["contracts"]}


def table(text: str) -> list[list[str]]:
    """The rows of the tables in a text, without their heads."""
    rows = [
        line.strip("|").split("|") for line in re.sub(r"^\|.*\n\| ---.*\n", "", text, flags=re.MULTILINE).splitlines()
    ]
    return [[cell.strip() for cell in row] for row in rows if len(row) > 1]


# --- architecture


def test_the_tree_names_exactly_the_packages_and_top_level_modules() -> None:
    rooms = {f"{path.parent.name}/" for path in CODE.glob("*/__init__.py")} | {path.name for path in CODE.glob("*.py")}
    named = [row[0].strip("`") for row in table(section(ARCHITECTURE, "The rooms"))]
    assert sorted(named) == sorted(rooms)


def test_the_files_to_begin_with_lie_in_their_rooms() -> None:
    for room, _, files in table(section(ARCHITECTURE, "The rooms")):
        for name in re.findall(r"`([\w.]+)`", files):
            assert (CODE / room.strip("`") / name).is_file(), f"{room} {name}"


def test_the_layers_on_the_page_are_those_that_are_held() -> None:
    [block] = [block for block in blocks(ARCHITECTURE) if block.mark == "layers"]
    assert block.text.splitlines() == import_contracts()["layers"]["layers"]


def test_the_public_modules_on_the_page_are_those_that_plugins_may_import() -> None:
    allowed = {line.removeprefix("** -> ") for line in import_contracts()["protected"]["ignore_imports"]}
    sentence = re.search(r"what is\s+public: (.+?)\.\n", section(ARCHITECTURE, "Layers"), re.DOTALL)
    assert sentence
    assert set(re.findall(r"`([\w.]+)`", sentence[1])) == allowed | {"pollctl"}


def exists(name: str) -> bool:
    """Whether a file or folder of the code or the tests has that path, which may leave out the room before it."""
    places = [CODE.parent, CODE, ROOT, *CODE.iterdir(), *(ROOT / "tests").iterdir()]
    return any((place / name).exists() for place in places)


@pytest.mark.parametrize(
    "page",
    [page for page in pages() if page.is_relative_to(DOCS) or page == CONTRIBUTING],
    ids=lambda page: f"{page.parent.name}/{page.name}",
)
def test_every_file_and_folder_that_the_text_names_exists(page: Path) -> None:
    for name in re.findall(r"`([a-z_][\w/]*(?:\.py|/))`", without_blocks(read(page))):
        if name.startswith("plugins/") or "NAME" in name:  # where they are installed is another matter
            continue
        assert exists(name), name


# --- glossary


WORDS = [row[0] for row in table(read(GLOSSARY))]


def test_the_glossary_is_in_order_and_names_each_word_once() -> None:
    assert len(WORDS) > 50
    assert sorted(set(WORDS)) == WORDS


def test_every_word_of_the_glossary_is_used() -> None:
    elsewhere = [page for page in pages() if page != GLOSSARY]
    text = " ".join(read(path) for path in [*CODE.rglob("*.py"), *elsewhere]).lower()
    spelled = {word: re.sub("[ -]", r"[\\s_/-]*", word) for word in WORDS}
    unused = [word for word, pattern in spelled.items() if not re.search(rf"\b{pattern}", text)]
    assert unused == []


# --- decisions


def test_the_index_of_decisions_names_each_with_its_title() -> None:
    rows = re.findall(r"^\| (\d+) \| \[(.+)\]\((.+)\) \|", read(DOCS / "decisions" / "README.md"), re.MULTILINE)
    titles = [re.match(r"# (\d+)\. (.+)\n", read(page)) for page in DECISIONS]
    assert [(number, title) for number, title, _ in rows] == [title.groups() for title in titles if title]
    assert [name for _, _, name in rows] == [page.name for page in DECISIONS]


def test_decisions_are_numbered_one_after_another() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_says_what_it_costs(page: Path) -> None:
    headings = re.findall(r"^## (.+)$", read(page), re.MULTILINE)
    if page.name == "0002-http.md":  # has paragraphs in place of headings
        assert "**What is given up.**" in read(page)
        return
    assert headings[0] == HEADINGS[0]
    assert headings[-3:] == HEADINGS[-3:]


# --- contributing


def test_the_verbs_of_the_makefile_are_all_explained() -> None:
    [targets] = re.findall(r"^\.PHONY: (.+)$", read(ROOT / "Makefile"), re.MULTILINE)
    verbs = re.findall(r"^\| `make (\w+)` \|", read(CONTRIBUTING), re.MULTILINE)
    assert sorted(verbs) == sorted(targets.split())


def test_a_plugin_is_added_with_the_rooms_that_plugins_have() -> None:
    rooms = {name for row in table(section(ARCHITECTURE, "A plugin")) for name in re.findall(r"`([\w.]+)`", row[0])}
    [sentence] = re.findall(r"with the rooms of (.+?)\.\n", section(CONTRIBUTING, "Adding things"), re.DOTALL)
    assert set(re.findall(r"`([\w.]+)`", sentence)) == rooms
