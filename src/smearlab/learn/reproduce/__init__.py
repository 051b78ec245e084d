"""Tables of the papers, reproduced by one command each."""
