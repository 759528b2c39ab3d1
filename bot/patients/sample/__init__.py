"""A roster of people who do not exist, for rehearsals, tests and measurements."""
