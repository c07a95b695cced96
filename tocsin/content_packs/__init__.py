"""What Tocsin brings for a source as one thing: its rules, its pipelines, how to send its logs, and samples of them."""
