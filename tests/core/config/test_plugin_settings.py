"""The base for settings of plugins reads a section as the settings file is read (authors.md, rule 11)."""

from __future__ import annotations

import pytest

from pollctl import ConfigError, Duration, Settings


class Mine(Settings, frozen=True, kw_only=True):
    word: str = "hello"
    every: Duration = Duration(seconds=90)


def test_it_reads_what_a_section_says() -> None:
    assert Mine.read('every = "2h"') == Mine(every=Duration(hours=2))
    assert Mine.read() == Mine()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("wrod = 1", "plugins.name.wrod: unknown key (did you mean 'word'?)"),
        ('every = "soon"', 'plugins.name.every: found "soon"'),
        ("every", "plugins.name: "),
    ],
)
def test_it_says_what_is_wrong_in_the_words_that_users_get(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Mine.read(text)
    assert problem in str(caught.value), str(caught.value)
