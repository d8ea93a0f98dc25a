"""The settings: found, read strictly, and said plainly what is wrong with them."""
