"""What a text holds besides its words: private numbers for the guard to hide, phrases for the lexicon to find."""
