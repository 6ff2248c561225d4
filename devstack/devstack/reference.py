"""What may lie in a folder `shared` beside the repository: recorded payloads, the vendors' own
descriptions, graded answers. Tests that read it are skipped where it is not."""

from devstack.stack import REPOSITORY

SHARED = REPOSITORY.parent / "shared"
WEBHOOKS = SHARED / "fixtures" / "webhooks"
CLOUD_OPENAPI = SHARED / "reference" / "whatsapp" / "cloud-openapi-v23.yaml"
WAHA_OPENAPI = SHARED / "reference" / "whatsapp" / "waha-openapi.json"
GRADED_ANSWERS = SHARED / "data" / "grading" / "mohler_open.jsonl"
REQUIREMENTS = SHARED / "REQUIREMENTS.md"
