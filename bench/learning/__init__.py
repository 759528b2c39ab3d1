"""Tables learnt from our own texts."""
