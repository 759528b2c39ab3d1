"""The response team's queue: cases, their reasons and deadlines."""
