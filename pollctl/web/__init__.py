"""The database in a browser, for whoever has the address: read alone, and without what is private."""
