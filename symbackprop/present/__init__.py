"""Formulas as people write them, documents and pictures: notations, LaTeX, Markdown, HTML. Reads records; derives nothing."""
