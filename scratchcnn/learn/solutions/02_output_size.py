def output_size(input_size, filter_size, stride=1, pad=0):
    """How many positions the filter has along one axis (eq. 7.1)."""
    #<gap size
    return (input_size + 2 * pad - filter_size) // stride + 1
    #>
