"""Formulas as people write them: notations, LaTeX and plain Unicode. Reads records; derives nothing."""
