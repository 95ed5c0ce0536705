"""From equations and sizes to loops, contractions and memory: what to compute where, for every target alike."""
