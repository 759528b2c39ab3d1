"""What the desk does with persons on file, always by two people: changing a contact, telling the old one, exports."""
