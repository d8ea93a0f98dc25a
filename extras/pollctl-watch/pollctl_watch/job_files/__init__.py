"""Job files of urlwatch, webchanges and changedetection.io, as keys of watches."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pollctl import UsageError, shorten
from pollctl_watch.job_files import changedetection, urlwatch
from pollctl_watch.job_files.job import Job

__all__ = ["Job", "jobs_of"]


def jobs_of(text: str) -> Sequence[Job]:
    """The jobs of a file, whichever program wrote it.

    Raises:
        UsageError: none of them did.
    """
    if text.lstrip().startswith("{"):
        try:
            return changedetection.jobs_of(json.loads(text))
        except ValueError as error:
            raise UsageError(f"it is not JSON: {error}") from error
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    if all(line.startswith(("http://", "https://")) for line in lines):
        return [Job(line.split()[0], {"url": line.split()[0]}) for line in lines]
    return urlwatch.jobs_of(_documents(text))


def _documents(text: str) -> Sequence[object]:
    import yaml

    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        raise UsageError(f"it is not YAML: {shorten(str(error), 200)}") from error
    return [one for document in documents for one in (document if isinstance(document, list) else [document])]
