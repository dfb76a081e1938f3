"""Textual-inversion embeddings found in a folder: their names and numbers of vectors, from the files' headers alone."""
