"""The judge's side: the same networks and layers in PyTorch, weights copied across, traces, devices."""
