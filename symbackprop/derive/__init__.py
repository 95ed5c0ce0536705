"""From forward equations to error terms and gradients: one rule, one delta solver, named rewrites."""
