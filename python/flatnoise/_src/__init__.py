"""Private implementation. The modules of `flatnoise` export the public API."""
