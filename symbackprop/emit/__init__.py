"""From a plan to text: one record a target, one printer for scalars, and templates that only lay out."""
