"""The terminal UI: a prompt editor that shows, while one types, what the model reads.

    promptlens tui hero.txt

What the screen shows of a report is worked out in modules without widgets (coloring, gauges, comparing, rows); the others put it there.
Nothing here imports torch: text encoders run in a process of their own.
"""
