"""The exact shape of the catalogue's YAML rows, and the error that names the row which breaks it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from data.model import Exactness, Utility


class CatalogueError(ValueError):
    """A catalogue file is wrong; the text names file and row."""

    def __init__(self, file: Path, row: str, message: str) -> None:
        super().__init__(f"{file.name}: {row}: {message}")


class _Row(BaseModel):
    """A row takes the keys it knows and no other, and no number where text belongs."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _both_languages(words: dict[str, str]) -> dict[str, str]:
    if not {"zh", "en"} <= words.keys() or not all(words.values()):
        raise ValueError("needs zh and en")
    return words


Words = Annotated[dict[str, str], AfterValidator(_both_languages)]
_ENUM = Field(strict=False)  # YAML gives a word where the model holds an enum


class CityRow(_Row):
    name: Words
    area_code: str = Field(pattern=r"^0\d{2,3}$")


class FormRow(_Row):
    name: Words
    pattern: str
    min_digits: int = Field(ge=4, le=30)
    max_digits: int = Field(ge=4, le=30)
    example: str
    where: Words

    @model_validator(mode="after")
    def _pattern_compiles(self) -> FormRow:
        try:
            re.compile(self.pattern)
        except re.error as wrong:
            raise ValueError(f"pattern: {wrong}") from None
        if self.min_digits > self.max_digits:
            raise ValueError("min_digits is above max_digits")
        return self


class AmountRow(_Row):
    exactness: Annotated[Exactness, _ENUM]
    minimum_fen: int = Field(default=1, ge=1)
    maximum_fen: int = Field(default=500_000, ge=1)
    step_fen: int = Field(default=1, ge=1)


class BillerRow(_Row):
    id: str = Field(pattern=r"^[a-z]{2,}-[a-z_]+$")
    name: Words
    utility: Annotated[Utility, _ENUM]
    city: str
    form: FormRow
    rule: AmountRow
    prepaid: bool = False
    can_find_accounts: bool = False


class BillersFile(_Row):
    cities: dict[str, CityRow]
    utilities: dict[Annotated[Utility, _ENUM], Words]
    billers: tuple[BillerRow, ...] = Field(min_length=1, strict=False)


class RuleRow(_Row):
    """A rule of the trade as it stood from one day on. Without its date and source it may not explain anything."""

    rule: str = Field(min_length=3)
    value: dict[str, str | int]
    effective_from: date
    source: str = Field(min_length=5)
    status: Literal["illustration", "confirmed"]


class RulesFile(_Row):
    rules: tuple[RuleRow, ...] = Field(strict=False)


_File = TypeVar("_File", bound=BaseModel)


def read(file: Path, shape: type[_File]) -> _File:
    """The file's content in its shape. Raises CatalogueError with the first fault and where it stands."""
    try:
        return shape.model_validate(YAML(typ="safe", pure=True).load(file.read_text("utf-8")))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        raise CatalogueError(file, ".".join(map(str, first["loc"])), first["msg"]) from None
    except YAMLError as wrong:
        raise CatalogueError(file, "yaml", str(wrong).splitlines()[0]) from None
