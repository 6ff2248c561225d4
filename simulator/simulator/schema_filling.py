"""Builds JSON that validates against a JSON schema, keeping what is suggested where it fits."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Schema = Mapping[str, Json]

_DEEPEST = 32


class SchemaTooDeep(ValueError):
    def __init__(self) -> None:
        super().__init__("the schema refers to itself without an end")


def fill(schema: Schema, suggestion: Json) -> Json:
    return _Filler(schema).fill(schema, suggestion, 0)


class _Range(NamedTuple):
    low: float
    high: float


class _Filler:
    def __init__(self, root: Schema) -> None:
        self._root = root

    def fill(self, schema: Schema, suggestion: Json, depth: int) -> Json:
        if depth > _DEEPEST:
            raise SchemaTooDeep
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        allowed = schema.get("enum")
        if isinstance(allowed, list):
            return suggestion if suggestion in allowed else allowed[0]
        branches = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(branches, list):
            return self.fill(self._best_branch(branches, suggestion), suggestion, depth + 1)
        return self._fill_by_type(schema, suggestion, depth)

    def _fill_by_type(self, schema: Schema, suggestion: Json, depth: int) -> Json:
        match _type_of(schema, suggestion):
            case "object":
                return self._fill_object(schema, suggestion, depth)
            case "array":
                return self._fill_array(schema, suggestion, depth)
            case "string":
                return _fill_string(schema, suggestion)
            case "integer":
                return int(_fill_number(schema, suggestion, step=1))
            case "number":
                return _fill_number(schema, suggestion, step=0)
            case "boolean":
                return suggestion if isinstance(suggestion, bool) else False
            case "null":
                return None
            case _:
                return suggestion

    def _fill_object(self, schema: Schema, suggestion: Json, depth: int) -> Json:
        given = suggestion if isinstance(suggestion, Mapping) else {}
        properties = _mapping(schema.get("properties"))
        required = schema.get("required")
        names = required if isinstance(required, list) else []
        wanted = dict.fromkeys([n for n in properties if n in given or n in names])
        wanted.update(dict.fromkeys([n for n in names if isinstance(n, str)]))
        return {
            name: self.fill(_mapping(properties.get(name)), given.get(name), depth + 1)
            for name in wanted
        }

    def _fill_array(self, schema: Schema, suggestion: Json, depth: int) -> Json:
        items: list[Json] = list(suggestion) if isinstance(suggestion, list | tuple) else []
        items += [None] * (int(_number(schema.get("minItems"), 0)) - len(items))
        most = int(_number(schema.get("maxItems"), len(items)))
        each = _mapping(schema.get("items"))
        return [self.fill(each, item, depth + 1) for item in items[:most]]

    def _best_branch(self, branches: Sequence[Json], suggestion: Json) -> Schema:
        resolved = [self._resolved(_mapping(branch)) for branch in branches]
        return next((b for b in resolved if _accepts(b, suggestion)), resolved[0])

    def _resolved(self, schema: Schema) -> Schema:
        for _ in range(_DEEPEST):
            reference = schema.get("$ref")
            if isinstance(reference, str):
                schema = self._at(reference)
                continue
            parts = schema.get("allOf")
            if not isinstance(parts, list):
                return schema
            rest = {key: value for key, value in schema.items() if key != "allOf"}
            schema = _merged([rest, *[self._resolved(_mapping(part)) for part in parts]])
        raise SchemaTooDeep

    def _at(self, reference: str) -> Schema:
        here: Json = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            here = _mapping(here).get(step.replace("~1", "/").replace("~0", "~")) if step else here
        return _mapping(here)


def _merged(parts: Sequence[Schema]) -> Schema:
    merged: dict[str, Json] = {}
    for part in parts:
        properties = {**_mapping(merged.get("properties")), **_mapping(part.get("properties"))}
        required = [*_list(merged.get("required")), *_list(part.get("required"))]
        merged |= part
        if properties:
            merged["properties"] = properties
        if required:
            merged["required"] = required
    return merged


def _type_of(schema: Schema, suggestion: Json) -> str:
    named = schema.get("type")
    if isinstance(named, list):
        fitting = [name for name in named if _accepts({"type": name}, suggestion)]
        return str((fitting or named)[0])
    if isinstance(named, str):
        return named
    return "object" if "properties" in schema else "array" if "items" in schema else "any"


def _accepts(schema: Schema, value: Json) -> bool:
    allowed = schema.get("enum")
    if isinstance(allowed, list):
        return value in allowed
    match schema.get("type"):
        case "object":
            return isinstance(value, Mapping)
        case "array":
            return isinstance(value, list | tuple)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "null":
            return value is None
        case _:
            return "properties" in schema and isinstance(value, Mapping)


def _fill_string(schema: Schema, suggestion: Json) -> str:
    text = suggestion if isinstance(suggestion, str) else ""
    text += "-" * (int(_number(schema.get("minLength"), 0)) - len(text))
    return text[: int(_number(schema.get("maxLength"), len(text)))]


def _fill_number(schema: Schema, suggestion: Json, step: int) -> float:
    bounds = _bounds(schema, step)
    is_number = isinstance(suggestion, int | float) and not isinstance(suggestion, bool)
    wanted = _number(suggestion, 0) if is_number else 0
    value = min(max(wanted, bounds.low), bounds.high)
    return math.ceil(value) if step else value


def _bounds(schema: Schema, step: int) -> _Range:
    low = _number(schema.get("minimum"), -math.inf)
    high = _number(schema.get("maximum"), math.inf)
    if "exclusiveMinimum" in schema:
        low = max(low, _number(schema["exclusiveMinimum"], low) + (step or 1e-6))
    if "exclusiveMaximum" in schema:
        high = min(high, _number(schema["exclusiveMaximum"], high) - (step or 1e-6))
    return _Range(low, high)


def _number(value: Json, default: float) -> float:
    return value if isinstance(value, int | float) else default


def _mapping(value: Json) -> Schema:
    return value if isinstance(value, Mapping) else {}


def _list(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list | tuple) else []
