"""What a notice says: templates read and checked, rendered once for everybody who reads the same, and made personal.

`template` reads the files, `segment` renders them for one group of equal readers, `personal` fills in what is one person's own,
`letter` sets the page, `lint` says what keeps a notice from being sent.
"""
