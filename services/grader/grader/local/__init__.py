"""The embedded examiner's reading of an answer: meaning, coverage, and a score learnt from people.

numpy is all that it needs while it runs; `grader_training` makes the two files in `data/`.
"""
