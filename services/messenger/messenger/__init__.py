"""The only service that speaks to WhatsApp: renders, paces, sends once, tracks delivery."""
