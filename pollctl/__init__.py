"""What authors of plugins import; each name is loaded when it is first used, so that start-up stays cheap."""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # that of typing costs an idle `pollctl due --run` as much time as Python itself
if TYPE_CHECKING:
    from typing import Any

    from pollctl.addresses import read_addresses as read_addresses
    from pollctl.addresses import split_addresses as split_addresses
    from pollctl.api.conditional import conditional_key as conditional_key
    from pollctl.api.hookspecs import hookimpl as hookimpl
    from pollctl.api.listing import Column as Column
    from pollctl.api.listing import State as State
    from pollctl.api.migrations import Migrations as Migrations
    from pollctl.api.pace import Pace as Pace
    from pollctl.api.poller import Poller as Poller
    from pollctl.api.report import Beat as Beat
    from pollctl.api.report import Figure as Figure
    from pollctl.api.report import Heartbeat as Heartbeat
    from pollctl.api.report import KeyFigures as KeyFigures
    from pollctl.api.report import Lane as Lane
    from pollctl.api.report import Mark as Mark
    from pollctl.api.report import Notice as Notice
    from pollctl.api.report import Section as Section
    from pollctl.api.report import Span as Span
    from pollctl.api.report import Table as Table
    from pollctl.api.report import Text as Text
    from pollctl.api.report import Threshold as Threshold
    from pollctl.api.report import Timeline as Timeline
    from pollctl.api.report import TimeSeries as TimeSeries
    from pollctl.api.run import Run as Run
    from pollctl.api.values import Answer as Answer
    from pollctl.api.values import Attachment as Attachment
    from pollctl.api.values import Drop as Drop
    from pollctl.api.values import Effect as Effect
    from pollctl.api.values import FetchError as FetchError
    from pollctl.api.values import Level as Level
    from pollctl.api.values import NotNow as NotNow
    from pollctl.api.values import Phases as Phases
    from pollctl.api.values import Request as Request
    from pollctl.api.values import Result as Result
    from pollctl.clock import from_text as from_text
    from pollctl.clock import to_text as to_text
    from pollctl.config.plugin_settings import Settings as Settings
    from pollctl.console.spoken import counted as counted
    from pollctl.console.spoken import spoken_length as spoken_length
    from pollctl.console.spoken import spoken_moment as spoken_moment
    from pollctl.console.spoken import spoken_number as spoken_number
    from pollctl.delivery.earlier_kinds import carry_over as carry_over
    from pollctl.errors import ConfigError as ConfigError
    from pollctl.errors import DeliveryError as DeliveryError
    from pollctl.errors import PluginError as PluginError
    from pollctl.errors import PollctlError as PollctlError
    from pollctl.errors import UsageError as UsageError
    from pollctl.http.connecting import open_socket as open_socket
    from pollctl.http.errors import fetch_error as fetch_error
    from pollctl.http.retry_after import retry_after as retry_after
    from pollctl.plugin_host.address_option import Addresses as Addresses
    from pollctl.plugin_host.command_context import PluginContext as PluginContext
    from pollctl.plugin_host.completion import completion_from as completion_from
    from pollctl.plugin_host.moment_option import Moment as Moment
    from pollctl.plugin_host.row_limit import limit_option as limit_option
    from pollctl.plugin_host.typed_text import ReadBy as ReadBy
    from pollctl.plugin_host.typed_text import text_of as text_of
    from pollctl.redaction import Secret as Secret
    from pollctl.redaction import address_digest as address_digest
    from pollctl.redaction import shorten as shorten
    from pollctl.units import Duration as Duration
    from pollctl.units import HttpUrl as HttpUrl
    from pollctl.units import PositiveDuration as PositiveDuration
    from pollctl.units import PositiveSize as PositiveSize
    from pollctl.units import Size as Size
    from pollctl.untrusted_json import strict_json as strict_json

_HOMES = {
    "from_text": "clock",
    "to_text": "clock",
    "Addresses": "plugin_host.address_option",
    "Moment": "plugin_host.moment_option",
    "ReadBy": "plugin_host.typed_text",
    "limit_option": "plugin_host.row_limit",
    "text_of": "plugin_host.typed_text",
    "PluginContext": "plugin_host.command_context",
    "completion_from": "plugin_host.completion",
    "ConfigError": "errors",
    "DeliveryError": "errors",
    "PluginError": "errors",
    "PollctlError": "errors",
    "UsageError": "errors",
    "conditional_key": "api.conditional",
    "hookimpl": "api.hookspecs",
    "fetch_error": "http.errors",
    "open_socket": "http.connecting",
    "retry_after": "http.retry_after",
    "strict_json": "untrusted_json",
    "Answer": "api.values",
    "Attachment": "api.values",
    "Column": "api.listing",
    "Drop": "api.values",
    "Effect": "api.values",
    "FetchError": "api.values",
    "Level": "api.values",
    "Migrations": "api.migrations",
    "NotNow": "api.values",
    "Pace": "api.pace",
    "Phases": "api.values",
    "Poller": "api.poller",
    "Request": "api.values",
    "Result": "api.values",
    "Run": "api.run",
    "Beat": "api.report",
    "Figure": "api.report",
    "Heartbeat": "api.report",
    "KeyFigures": "api.report",
    "Lane": "api.report",
    "Mark": "api.report",
    "Notice": "api.report",
    "Section": "api.report",
    "Span": "api.report",
    "State": "api.listing",
    "Table": "api.report",
    "Text": "api.report",
    "Threshold": "api.report",
    "TimeSeries": "api.report",
    "Timeline": "api.report",
    "shorten": "redaction",
    "carry_over": "delivery.earlier_kinds",
    "counted": "console.spoken",
    "spoken_length": "console.spoken",
    "spoken_number": "console.spoken",
    "spoken_moment": "console.spoken",
    "Duration": "units",
    "HttpUrl": "units",
    "PositiveDuration": "units",
    "PositiveSize": "units",
    "Secret": "redaction",
    "Settings": "config.plugin_settings",
    "address_digest": "redaction",
    "Size": "units",
    "read_addresses": "addresses",
    "split_addresses": "addresses",
}
__all__ = ["__version__", *_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pollctl' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"pollctl.{_HOMES[name]}"), name)
