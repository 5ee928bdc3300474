"""The implementation. What is public is exported by the modules of `flatnoise` itself."""
