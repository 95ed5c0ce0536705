"""Documents: records of what is printed, and one writer for each way to print it."""
