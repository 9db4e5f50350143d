"""What changed from one version to another: by partition, by row, by column. Reads only."""
