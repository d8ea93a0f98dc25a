"""Terms, campuses and indexes as people write them."""

from __future__ import annotations

import pytest

from pollctl_soc_sections.model.identifiers import read_campus, read_index, read_term


@pytest.mark.parametrize(
    ("text", "term"),
    [("92026", "92026"), ("20269", "92026"), ("FA2026", "92026"), ("SP2027", "12027"), ("SU2026", "72026"),
     ("W2027", "02027"), ("02020", "02020"), ("20207", "72020")],
)  # fmt: skip
def test_a_term_may_be_written_in_several_ways(text: str, term: str) -> None:
    assert read_term(text) == term


@pytest.mark.parametrize("text", ["", "32026", "2026", "fall", "9202", "92026 ", "XX2026"])
def test_what_is_not_a_term_is_refused_with_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="write 92026"):
        read_term(text)


def test_an_index_has_exactly_five_digits() -> None:
    assert read_index("05972") == "05972"
    with pytest.raises(ValueError, match="write 05972"):
        read_index("5972")
    for text in ("059720", "O5972", "\u0660\u0665\u0669\u0667\u0662", " 05972"):
        with pytest.raises(ValueError, match="five digits"):
            read_index(text)


@pytest.mark.parametrize("text", ["nb", "XX", "ONLINE_nb", ""])
def test_a_campus_is_one_of_the_list_capitals_count(text: str) -> None:
    with pytest.raises(ValueError, match=r"ONLINE_CM.*RV"):
        read_campus(text)
