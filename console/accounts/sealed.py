"""Model fields that are sealed in the database and plain in Python."""

import json
from typing import Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from console.accounts.keys import keyring
from console.shared.sealing import Address


class Sealed(bytes):
    """Bytes as the database holds them, told apart from a plain value that still waits to be sealed."""


class _SealedAttribute(DeferredAttribute):
    """Open on reading, never before: a list of a hundred rows that shows no text opens none."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        return self.field.open_value(instance, value) if isinstance(value, Sealed) else value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedField(models.BinaryField):
    """Hold bytes sealed for (table, column, row id, facility).

    The model must have a UUID `id` and a `facility` column; both are authenticated with the value.
    """

    descriptor_class = _SealedAttribute

    def to_plain(self, data: bytes) -> Any:
        """Turn opened bytes into the Python value."""
        return data

    def from_plain(self, value: Any) -> bytes:
        """Turn the Python value into bytes."""
        return bytes(value)

    def open_value(self, instance: models.Model, sealed: bytes) -> Any:
        """Decrypt for an instance."""
        return self.to_plain(keyring(instance.facility_id).open(sealed, self._address(instance)))  # type: ignore[attr-defined]

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Seal what was set since loading; bulk_create passes here as well."""
        value = model_instance.__dict__.get(self.attname)
        if value is None or isinstance(value, Sealed):
            return value
        ring = keyring(model_instance.facility_id)  # type: ignore[attr-defined]
        return Sealed(ring.seal(self.from_plain(value), self._address(model_instance)))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Refuse plain values on paths that know no row, such as `update()`: they would be stored in the clear."""
        if value is not None and not isinstance(value, Sealed):
            raise TypeError(f"{self.model.__name__}.{self.name} is sealed: set it on the object and save that.")
        return super().get_db_prep_value(value, connection, prepared)

    def from_db_value(self, value: Any, *_: Any) -> Any:
        """Keep the database's bytes sealed until somebody reads them."""
        return None if value is None else Sealed(value)

    def _address(self, instance: models.Model) -> Address:
        return Address(
            table=instance._meta.db_table,
            column=self.column,
            row=instance.pk,
            facility=instance.facility_id,  # type: ignore[attr-defined]
        )


class SealedTextField(SealedField):
    """Sealed text."""

    def to_plain(self, data: bytes) -> str:
        """Decode UTF-8."""
        return data.decode()

    def from_plain(self, value: Any) -> bytes:
        """Encode as UTF-8."""
        return str(value).encode()


class SealedJSONField(SealedField):
    """A sealed JSON value."""

    def to_plain(self, data: bytes) -> Any:
        """Parse."""
        return json.loads(data)

    def from_plain(self, value: Any) -> bytes:
        """Serialise."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
