"""What goes out: the words in which people are told, and rows for jobs kept elsewhere."""
