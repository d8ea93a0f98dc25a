"""A small Schedule of Classes on the loopback that behaves like the real one, faults included."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from random import Random
from typing import Any, Literal, NamedTuple

from pollctl.fakes import FakeUpstream, ServerRequest, ServerResponse

Fault = Literal[
    "none", "all_campuses", "partial", "empty", "html", "stale", "wrong_term", "moved", "limited", "slow", "truncated",
    "missing", "broken",
]  # fmt: skip
"""How an answer may be wrong.

``all_campuses``: the campus is ignored. ``partial``: a strict subset, 8,146 of 11,423. ``empty``: ``[]``. ``html``: a
page with 200. ``stale``: the answer before the last change. ``wrong_term``: sections of another term. ``moved``: 302 to
``moved_to``. ``limited``: 429. ``slow``: after ``delay`` seconds. ``truncated``: ends early. ``missing``: 400 with a
page. ``broken``: 500.
"""

DEFAULT_SIZES: Mapping[str, int] = {"NB": 12_000}
_PAGE = b"<!DOCTYPE html><html><body>The Schedule of Classes is being maintained.</body></html>"
_KEPT_OF_PARTIAL = 8_146 / 11_423
_OPEN_SHARE = 11_423 / 12_000
_SUBJECTS = ("198", "220", "350", "377", "510", "640", "750", "790", "820", "910")
_TITLES = ("INTRO COMPUTER SCI", "MICROECONOMICS", "PERSONNEL SUP & MGMT", "METH SOCWK RESRCH", "CALCULUS I")


class Section(NamedTuple):
    """One section, with the few fields that tests look at."""

    index_number: str
    number: str
    course: str
    title: str
    open_to: str = ""
    permission: str | None = None
    eligibility: str = ""
    subtitle: str = ""
    twins: tuple[str, ...] = ()


class FakeSoc(FakeUpstream):
    """A term of sections, to be used with ``with``; it answers until the block ends.

    Args:
        sizes: how many sections each campus has; indexes are never shared.
        open_share: the share that is open at first; which ones, a generator with a fixed seed chooses.
        seed: of that generator.

    Attributes:
        url: for ``base_url``.
        faults: how the next answers about open sections are wrong, by campus: one per request, then none.
        lasting_faults: how every answer about open sections is wrong, by campus, after those.
        catalogue_faults: how every catalogue is wrong, by campus.
        requests: page and campus, in the order of arrival.
        retry_after: the header of a 429, if any.
        moved_to: where a 302 leads.
        delay: seconds that a slow answer takes.
        ignores_campus: whether every answer about open sections lists all campuses, as the live one's mostly do.
    """

    def __init__(
        self,
        sizes: Mapping[str, int] = DEFAULT_SIZES,
        *,
        open_share: float = _OPEN_SHARE,
        seed: int = 92026,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        generator = Random(seed)  # noqa: S311 - a fake
        numbers = iter(generator.sample(range(1, 100_000), sum(sizes.values())))
        self.sections = {
            campus: [_section(next(numbers), place, generator) for place in range(size)]
            for campus, size in sizes.items()
        }
        self._open = {
            campus: {section.index_number for section in generator.sample(held, round(len(held) * open_share))}
            for campus, held in self.sections.items()
        }
        self._before = {campus: set(indexes) for campus, indexes in self._open.items()}
        self._catalogues: dict[str, bytes] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.lasting_faults: dict[str, Fault] = {}
        self.catalogue_faults: dict[str, Fault] = {}
        self.requests: list[tuple[str, str]] = []
        self.retry_after: str | None = "60"
        self.moved_to = ""
        self.delay = 0.5
        self.ignores_campus = False
        self._lock = threading.Lock()
        self.url = f"{self.url}/soc/api"

    def open(self, campus: str, *indexes: str) -> None:
        """Let sections have a free seat."""
        self.set_open(campus, self._open[campus].union(indexes))

    def close(self, campus: str, *indexes: str) -> None:
        """Let sections be full."""
        self.set_open(campus, self._open[campus].difference(indexes))

    def set_open(self, campus: str, indexes: Iterable[str]) -> None:
        """Set exactly which sections of a campus are open."""
        with self._lock:
            self._before[campus] = self._open[campus]
            self._open[campus] = set(indexes)

    def open_sections(self, campus: str) -> set[str]:
        """Which sections of a campus are open in truth."""
        return set(self._open[campus])

    def respond(self, request: ServerRequest) -> ServerResponse:
        """Answer both pages of a campus."""
        page, query = request.parts[-1].removesuffix(".json"), request.query
        if page not in ("openSections", "courses"):
            return ServerResponse(404, _PAGE)
        if not {"year", "term", "campus"} <= query.keys():
            return ServerResponse(400, _PAGE)
        fault, body = self.reply(page, query["campus"])
        status = {"moved": 302, "limited": 429, "missing": 400, "broken": 500}.get(fault, 200)
        headers = {"Cache-Control": "max-age=30"}
        if fault == "moved":
            headers["Location"] = f"{self.moved_to}/{request.address.rpartition('/')[2]}"
        if fault == "limited" and self.retry_after:
            headers["Retry-After"] = self.retry_after
        return ServerResponse(status, body, headers, delay=self.delay if fault == "slow" else 0)

    def reply(self, page: str, campus: str) -> tuple[Fault, bytes]:
        """How the next answer is wrong, and its body."""
        with self._lock:
            self.requests.append((page, campus))
            if page == "courses":
                fault = self.catalogue_faults.get(campus, "none")
                return fault, self._broken(fault, self.catalogue(campus))
            queued = self.faults.get(campus)
            fault = queued.pop(0) if queued else self.lasting_faults.get(campus, "none")
            return fault, self._broken(fault, self.answer(campus, fault))

    def answer(self, campus: str, fault: Fault = "none") -> bytes:
        """The body about open sections: in no certain order, with a few duplicates."""
        if fault == "all_campuses" or (self.ignores_campus and fault in ("none", "partial")):
            indexes = sorted(set().union(*self._open.values()))
        elif fault == "stale":
            indexes = sorted(self._before.get(campus, ()))
        elif fault == "wrong_term":
            taken = {section.index_number for held in self.sections.values() for section in held}
            indexes = [f"{number:05d}" for number in range(500) if f"{number:05d}" not in taken]
        else:
            indexes = sorted(self._open.get(campus, ()))
        if fault == "partial":
            indexes = indexes[: round(len(indexes) * _KEPT_OF_PARTIAL)]
        listed = indexes + indexes[:: max(1, len(indexes) // 7)]
        Random(len(listed)).shuffle(listed)  # noqa: S311 - a fake; the same content has the same bytes
        return json.dumps(listed, separators=(",", ":")).encode()

    def catalogue(self, campus: str) -> bytes:
        """The body of courses.json, made once: about 1.8 KB for each section, as in the real one."""
        if campus not in self._catalogues:
            grouped = groupby(self.sections.get(campus, ()), key=lambda section: section.course)
            courses = [_course(list(sections), campus) for _, sections in grouped]
            self._catalogues[campus] = json.dumps(courses).encode()
        return self._catalogues[campus]

    def _broken(self, fault: Fault, body: bytes) -> bytes:
        if fault == "empty":
            return b"[]"
        if fault == "truncated":
            return body[: len(body) // 2]
        return _PAGE if fault in ("html", "missing", "broken") else body


def _section(number: int, place: int, generator: Random) -> Section:
    course = f"{1 + place // 1500:02d}:{_SUBJECTS[place // 150 % len(_SUBJECTS)]}:{100 + place // 3 % 50}"
    is_limited = place % 5 == 0
    return Section(
        index_number=f"{number:05d}",
        number=f"{1 + place % 3:02d}",
        course=course,
        title=generator.choice(_TITLES),
        open_to="UNIT: 18 (Graduate School of Applied and Professional  Psychology)" if is_limited else "",
        permission="Department Permission Number" if place % 11 == 0 else None,
        eligibility="SENIORS" if place % 11 == 0 else "",
        subtitle="HONORS" if place % 11 == 0 else "",
    )


def _course(sections: Sequence[Section], campus: str) -> dict[str, Any]:
    """A course with its sections, all fields that the real one has."""
    section = sections[0]
    unit, subject, number = section.course.split(":")
    return {
        "campusLocations": [{"code": "6", "description": "Somewhere"}],
        "subject": subject, "openSections": 1, "synopsisUrl": "", "title": section.title, "preReqNotes": "",
        "courseString": section.course, "school": {"code": unit, "description": "School of Everything"}, "credits": 3,
        "subjectDescription": "Everything", "coreCodes": [], "expandedTitle": f"{section.title:<80}",
        "courseFeeDescr": "", "mainCampus": campus, "subjectNotes": "", "courseNumber": number,
        "creditsObject": {"code": "3_0", "description": "3.0 credits"}, "level": "U", "campusCode": campus,
        "subjectGroupNotes": "", "offeringUnitCode": unit, "offeringUnitTitle": None, "courseDescription": "",
        "sections": [_described(each, campus) for each in sections], "supplementCode": "  ", "courseFee": "0",
        "unitNotes": "", "courseNotes": "Not for those who took it before. " * 16,
    }  # fmt: skip


def _described(section: Section, campus: str) -> dict[str, Any]:
    meeting = {
        "campusLocation": "6", "roomNumber": "124", "campusAbbrev": campus, "campusName": campus,
        "startTimeMilitary": "1800", "buildingCode": "ATG", "meetingModeDesc": "LEC", "endTimeMilitary": "2050",
        "meetingModeCode": "02", "baClassHours": "", "pmCode": "P", "meetingDay": "H", "startTime": "0600",
        "endTime": "0850",
    }  # fmt: skip
    return {
        "sectionEligibility": section.eligibility, "sessionDatePrintIndicator": "Y", "examCode": "C",
        "specialPermissionAddCode": "04" if section.permission else None, "crossListedSections": [
            {"registrationIndex": twin, "primaryRegistrationIndex": twin, "offeringUnitCampus": campus} for twin in section.twins
        ],
        "sectionNotes": "", "specialPermissionDropCode": None, "crossListedSectionType": "0", "instructors": [],
        "number": section.number, "finalExam": None, "majors": [], "openToText": section.open_to,
        "openStatusText": "OPEN", "sessionDates": None, "specialPermissionDropCodeDescription": None, "subtopic": "",
        "openStatus": True, "comments": [{"code": "05", "description": "Go to http://canvas.example.net"}],
        "instructorsText": "", "minors": [], "examCodeText": "During class hour", "campusCode": campus,
        "sectionCampusLocations": [{"code": "6", "description": "Somewhere"}], "index": section.index_number,
        "unitMajors": [], "printed": "Y", "specialPermissionAddCodeDescription": section.permission,
        "commentsText": "Go to http://canvas.example.net", "subtitle": section.subtitle, "crossListedSectionsText": "",
        "sectionCourseType": "T", "meetingTimes": [meeting], "legendKey": None, "honorPrograms": [],
    }  # fmt: skip
