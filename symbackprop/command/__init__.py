"""What the command line does, one module a job; `symbackprop.cli` only reads the words."""
