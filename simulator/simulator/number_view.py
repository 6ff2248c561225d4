import json

from simulator.meanings import meaning_of
from simulator.settings import Settings
from simulator.standing import Standing


def number_view(settings: Settings, standing: Standing) -> bytes:
    """Our number as Meta describes it, with what keeps it from sending."""
    problem = standing.view.problem
    entity: dict[str, object] = {
        "entity_type": "PHONE_NUMBER",
        "id": settings.whatsapp_phone_number_id,
        "can_send_message": "AVAILABLE" if problem is None else "BLOCKED",
    }
    if problem is not None:
        description = meaning_of(problem).title
        entity["errors"] = [{"error_code": problem, "error_description": description}]
    number = {
        "id": settings.whatsapp_phone_number_id,
        "verified_name": "Sabatina (simulated)",
        "display_phone_number": settings.simulator_business_phone,
        "quality_rating": standing.view.quality,
        "status": "DISCONNECTED" if problem == 133010 else "CONNECTED",
        "throughput": {"level": "STANDARD"},
        "whatsapp_business_manager_messaging_limit": standing.tier_name,
        "health_status": {
            "can_send_message": entity["can_send_message"],
            "entities": [entity],
        },
    }
    return json.dumps(number).encode()
