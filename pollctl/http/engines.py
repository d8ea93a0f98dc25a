"""Whether libcurl can be used: the extra ``curl``, with a version for which our tests of hostile answers hold."""

from __future__ import annotations

import sys

from pollctl.errors import ConfigError

_YOUNG_ENOUGH = 0x081300
"""libcurl 8.19, that of pycurl 7.46: the tests of hostile answers fail with earlier ones."""


def is_curl_usable(*, is_demanded: bool) -> bool:
    """Whether libcurl can be used.

    Args:
        is_demanded: whether the settings name it.

    Raises:
        ConfigError: it cannot, though it is demanded.
    """
    why = why_no_curl()
    if why and is_demanded:
        raise ConfigError(f'[pollctl.http] engine = "curl" {why}')
    return not why


def why_no_curl() -> str:
    """Why libcurl cannot be used, behind the setting that asks for it; empty where it can."""
    if sys.platform != "linux":
        return "works on Linux only"
    try:
        import pycurl
    except ImportError as error:
        return f"needs the extra pollctl[curl]: {error}"
    _, version, number, *_ = pycurl.version_info()
    return "" if number >= _YOUNG_ENOUGH else f"needs libcurl 8.19; that of pycurl is {version}"
