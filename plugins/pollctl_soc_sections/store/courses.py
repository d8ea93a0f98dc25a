"""Which sections belong to a course."""

COURSE_SECTIONS = """(SELECT term, campus, course, index_number FROM soc_sections WHERE course <> ''
    UNION SELECT term, campus, course, index_number FROM soc_twins)"""
"""Term, campus, course and index: those that the catalogue has under the course, and those that are cross-listed with them."""
