"""What has passes started where pollctl is installed: cron, systemd, or a loop of our own in a container."""
