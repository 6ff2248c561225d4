"""What WAHA needs beside a channel: a human pace, somebody who watches its session, and catching
up on what its webhooks lost."""
