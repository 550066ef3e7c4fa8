"""Inspection: what the gradients are worth."""
