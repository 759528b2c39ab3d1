"""When the desk is open, what is due when, how long a patient will wait."""
