"""What notebook 08 probes, and how it draws what it found: leave this folder behind."""
