"""How Marketing Cloud is spoken to: one session per pass, its token, SOAP and REST, and the parsing of answers."""
