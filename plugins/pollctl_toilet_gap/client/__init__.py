"""How the event service and the queue are spoken to, and how what they answer is read."""
