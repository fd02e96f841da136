"""The processes that run: gateway, writer, engine, and `weir up` that runs them all."""
