"""Kernels for machines of many threads: a device plan as text."""
