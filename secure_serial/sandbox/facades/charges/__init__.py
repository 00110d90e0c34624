"""What operations make and cost, taken from the meter of the call before the work."""
