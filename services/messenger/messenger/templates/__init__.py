"""Message templates: the words in `content/templates` against what Meta's account knows of them."""
