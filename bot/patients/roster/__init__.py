"""The roster: the clinic's list of patients as a file, judged as a whole before a row of it is stored."""
