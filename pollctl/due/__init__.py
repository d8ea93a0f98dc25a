"""Which plugins are due. Nothing may be imported here: cron pays for this package each minute."""
