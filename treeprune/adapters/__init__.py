"""Models of other libraries, read out and written back; each library is an extra, imported where it is used."""
