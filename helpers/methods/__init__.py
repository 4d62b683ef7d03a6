"""One paper, one file, one verb."""
