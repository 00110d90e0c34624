"""Files to reports: finds models, judges them under a policy, and never loads one."""
