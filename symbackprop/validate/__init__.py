"""Validation: independent oracles, and reports that name the guilty half, layer and tensor."""
