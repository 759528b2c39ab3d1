"""`patients references`: the references that are printed on notices."""
