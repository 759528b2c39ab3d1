"""Staff: accounts, roles, sign-in, what needs two people."""
