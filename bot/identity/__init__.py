"""Showing who is asking: a one-time code to a contact on file proves, nothing else does.

Strangers and patients get the same words for the same work: the same statements, keyed hashes and queued rows, whether or not
what they typed is on file. The send happens later, in the worker, from a row of its own.
"""
