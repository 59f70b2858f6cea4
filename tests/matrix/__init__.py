"""What was seen where, as data: lab tests leave results, and docs/test-matrix.md is made of them.

`results.jsonl` is only ever added to. ``./run-tests --record`` does, and writes the document;
``python -m tests.matrix`` writes the document alone.
"""
