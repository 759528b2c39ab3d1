"""A provider simulator: an HTTP server that behaves like SendGrid v3 and Twilio 2010-04-01, for tests and demonstrations.

It stands alone: it imports nothing from the application it is used with, sends nothing to anybody, and listens on the
loopback only.
"""
