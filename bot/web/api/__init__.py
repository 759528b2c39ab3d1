"""The interface for programs at `/api/v1`: everything a responder does, for an existing help desk.

A program shows a token (`bot/desk/integrations/tokens.py`); its scopes are asked for in the signature of each route
(`reads(Scope.…)`, `writes(Scope.…)`), and once more by the function of `bot.desk` that does the work: the same function
that the console calls. A route without either stops the start. Errors are problem details (RFC 9457, `problems.py`); what is
written goes through `acting.act`, which answers a request that comes twice once. Nothing of a patient stands in an address.
"""
