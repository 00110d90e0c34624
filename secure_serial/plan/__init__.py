"""From a document to every request that it would make. Pure: no I/O, no clock, no globals."""
