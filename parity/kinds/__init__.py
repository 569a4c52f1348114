"""What each layer, loss and optimizer must compute: formula, inputs to try, how it is called, its names."""
