"""The one way out over HTTP: total time limit, size limit, redirects, rate, redaction; errors are answers.

Built on the connections of urllib3; docs/decisions/0002-http.md says why. What talks to the network is imported with the
first exchange.
"""
