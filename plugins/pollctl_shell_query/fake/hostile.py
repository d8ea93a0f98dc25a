"""Answers in XML that must be refused."""

from __future__ import annotations

from itertools import islice, product
from string import ascii_letters

from pollctl_shell_query.fake.envelopes import envelope, statuses


def hostile(kind: str, sink: str) -> bytes:
    """XML that must be refused.

    Args:
        kind: ``dtd``, ``entities``, ``external``, ``laughs``, ``deep``, ``wide``, ``attributes`` or ``truncated``.
        sink: an address that must not be asked.
    """
    good = statuses([{"Status": "Complete"}])
    head, tail = good.split(b"?>", 1)
    laughs = '<!ENTITY a0 "haha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    dtds = {
        "dtd": "<!DOCTYPE soap:Envelope>",
        "entities": '<!DOCTYPE soap:Envelope [<!ENTITY a "Complete">]>',
        "external": f'<!DOCTYPE soap:Envelope SYSTEM "{sink}evil.dtd" [<!ENTITY x SYSTEM "{sink}evil.xml">]>',
        "laughs": f"<!DOCTYPE soap:Envelope [{laughs}]>",
    }
    if kind in dtds:
        status = {"entities": b"&a;", "external": b"&x;", "laughs": b"&a9;"}.get(kind, b"Complete")
        return head + b"?>" + dtds[kind].encode() + tail.replace(b"Complete", status)
    names = product(ascii_letters, repeat=3)
    return {
        "deep": envelope("<a>" * 70_000 + "</a>" * 70_000),
        "wide": envelope("<a/>" * 130_000),
        "attributes": envelope("<a " + " ".join(f'{"".join(name)}=""' for name in islice(names, 74_000)) + "/>"),
        "truncated": good[: len(good) // 2],
    }[kind]
