"""How much may leave: the rate, the people reached in a day, and what is paused."""
