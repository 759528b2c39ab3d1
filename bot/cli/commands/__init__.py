"""One module per command; each only reads its arguments, calls what does the work, and prints."""
