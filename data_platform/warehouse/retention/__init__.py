"""What is let go: which versions expire, securing their rows by deltas, and sweeping what nothing needs.

Every removal of published files is here, and starts from all manifests, tags and pins.
"""
