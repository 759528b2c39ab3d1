"""Programs beside the desk: their tokens, what is posted to them, and requests that came twice."""
