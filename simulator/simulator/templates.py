from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from simulator.cloud_errors import CloudError
from simulator.hydration import Hydrated, hydrated, shown_by_name
from simulator.payloads import Template
from simulator.template_records import Category, TemplateRecord, TemplateStatus, Translation

_REFUSALS = {TemplateStatus.PAUSED: 132015, TemplateStatus.DISABLED: 132016}


class TemplateFile(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    category: Category = "UTILITY"
    languages: dict[str, Translation]


class InvalidTemplateFile(ValueError):
    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


class TemplateBook:
    """The account's templates. Without a folder, every unknown name is taken for approved."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._by_id: dict[str, TemplateRecord] = {}
        self.forget_all()

    def forget_all(self) -> None:
        """Back to those of the folder, all approved."""
        records = _read_folder(self._folder) if self._folder else []
        self._by_id = {record.id: record for record in records}

    def all(self) -> list[TemplateRecord]:
        return list(self._by_id.values())

    def restore(self, records: list[TemplateRecord]) -> None:
        """How each one stands; the words of those in the folder are the folder's."""
        for record in records:
            known = self._by_id.get(record.id, record)
            self.put(record.model_copy(update={"translation": known.translation}))

    def put(self, record: TemplateRecord) -> None:
        self._by_id[record.id] = record

    def remove(self, record: TemplateRecord) -> None:
        self._by_id.pop(record.id, None)

    def find_by_id(self, template_id: str) -> TemplateRecord | None:
        return self._by_id.get(template_id)

    def find_by_name(self, name: str) -> list[TemplateRecord]:
        return [record for record in self._by_id.values() if record.name == name]

    def hydrate(self, template: Template) -> Hydrated:
        translations = self.find_by_name(template.name)
        if not translations and self._folder is None:
            return shown_by_name(template)
        language = template.language.code
        known = next((record for record in translations if record.language == language), None)
        if known is None:
            raise CloudError(
                132001, f"template name ({template.name}) does not exist in {language}"
            )
        if known.status is not TemplateStatus.APPROVED:
            raise CloudError(
                _REFUSALS.get(known.status, 132001),
                f"template name ({template.name}) is {known.status.lower()} in {language}",
            )
        return hydrated(template, known.translation, known.category)


def _read_folder(folder: Path) -> list[TemplateRecord]:
    return [
        TemplateRecord(
            name=file.name, language=language, category=file.category, translation=translation
        )
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".yaml", ".yml"} and path.is_file()
        for file in [_read_file(path)]
        for language, translation in file.languages.items()
    ]


def _read_file(path: Path) -> TemplateFile:
    try:
        return TemplateFile.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise InvalidTemplateFile(path, str(error)) from error
