"""Pictures: one record of nodes, edges and labels, and one writer for each way to draw it."""
