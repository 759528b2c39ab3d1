"""Threads, sessions, turns and replies, and what is said in them."""
