"""What comes in and goes out over providers: stored hooks, turns out of them, the outbox, and what became of it."""
