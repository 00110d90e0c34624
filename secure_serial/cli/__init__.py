"""Arguments to commands, commands to exit codes; the only package that prints."""
