"""The stores under test, one module each; only the module that is asked for is imported."""
