"""What is kept of every decision, and where."""
