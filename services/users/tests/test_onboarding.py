"""From a first message to an active person, in the chat."""


