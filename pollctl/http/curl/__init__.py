"""GET and HEAD of ``run.get_many`` through libcurl, where the extra ``curl`` is installed (docs/decisions/0015-libcurl.md)."""
