"""When a plugin is due: the slots of a cron expression in a zone, and the gates between a slot and a pass.

Pure: no I/O but zone data, no clock, no randomness. Importing it does not import croniter.
"""
