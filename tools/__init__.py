"""What a maintainer runs: store notebooks' outputs, and hold them to their style."""
