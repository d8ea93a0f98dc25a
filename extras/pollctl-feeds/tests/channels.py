"""Feeds as they are answered, and settings of one feed."""

URL = "https://harbour.example.net/feed.xml"


def rss(*titles: str) -> str:
    items = (
        f"<item><guid>{one}</guid><title>{one}</title><description>More of {one}.</description></item>"
        for one in titles
    )
    return f"<rss version='2.0'><channel>{''.join(items)}</channel></rss>"


def settings(*lines: str) -> str:
    """Of a feed that a skipper hears of, with further lines; more may be appended."""
    shared = ['notify = ["json://inbox/skipper"]', "[[feeds]]", 'name = "harbour"', f'url = "{URL}"', 'every = "5m"']
    return "\n".join([*shared, *lines, ""])
