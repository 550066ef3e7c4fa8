"""What a training step that is captured once and replayed needs on the device: its counters, its tables, its sums."""
