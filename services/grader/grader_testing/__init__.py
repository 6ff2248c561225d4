"""What the tests of the grader share. Not part of the wheel."""
