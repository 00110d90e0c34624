"""From a plan and an allowlist to a verdict. Pure, but for `source`, which reads policies."""
