"""Benchmarks: each module measures one promise against a baseline in the same run (`python -m bench [NAME…]`)."""
