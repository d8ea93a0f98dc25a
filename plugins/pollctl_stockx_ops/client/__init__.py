"""How StockX is spoken to: requests, rate limit, tokens, and the parsing of its answers."""
