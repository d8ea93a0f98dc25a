"""Which sections belong to a course: those that the catalogue has under it, and those that are cross-listed with them."""

COURSE_SECTIONS = """(SELECT term, campus, course, index_number FROM soc_sections WHERE course <> ''
    UNION SELECT term, campus, course, index_number FROM soc_twins)"""
"""Term, campus, course and index of all of them."""

SECTIONS_FOLLOWED = """(SELECT own.index_number FROM soc_sections AS own WHERE own.term = subscription.term
        AND own.campus = subscription.campus AND own.course = subscription.course AND own.course <> ''
    UNION SELECT twin.index_number FROM soc_twins AS twin WHERE twin.term = subscription.term
        AND twin.campus = subscription.campus AND twin.course = subscription.course)"""
"""The indexes of one *subscription*'s course, found by its name."""
