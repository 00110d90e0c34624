"""What each code of a finding means and what to do about it, as data."""
