"""The language: sizes, indices, tensors, equations, and what an equation means."""
