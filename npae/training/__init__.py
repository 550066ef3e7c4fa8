"""Training: the step, the loop, history, checkpoints, configuration and the run folder."""
