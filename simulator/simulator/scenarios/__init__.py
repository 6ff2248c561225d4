"""Chats written down as files, to be played against a running product."""
