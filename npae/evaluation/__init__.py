"""Evaluation: what a trained model is worth on rows it has not seen, beside a baseline."""
