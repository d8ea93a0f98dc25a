"""The terms of a check, as its row keeps them."""

from __future__ import annotations

import msgspec

from pollctl_toilet_gap.model import Terms

_decoder = msgspec.json.Decoder(Terms)


def terms_to_text(terms: Terms) -> str:
    """Terms as the column ``settings`` has them."""
    return msgspec.json.encode(terms).decode()


def terms_from_text(text: str) -> Terms:
    """Terms from the column ``settings``."""
    return _decoder.decode(text)
