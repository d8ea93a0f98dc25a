"""What leaves for the outside world after a commit: effects, notifications, pings."""
