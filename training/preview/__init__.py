"""Training of the offline preview encoder: `python -m training.preview`. See README.md beside this file. Not part of the wheel."""
