"""Plans for machines of many threads in blocks: which thread does what, and where they wait for each other."""
