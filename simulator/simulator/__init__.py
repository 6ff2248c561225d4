"""A stand-in for the WhatsApp Cloud API and an OpenAI-compatible model."""
