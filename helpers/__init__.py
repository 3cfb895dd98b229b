"""What the notebooks import: the model's URL, timelines, exercise checks."""
