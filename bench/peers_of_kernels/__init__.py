"""Everybody who computes MMD or all distances, each in a process of its own: see problem.py, contenders.py, worker.py."""
