"""Bound one network act in time and bytes, so that no peer can hold or fill a worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Say how long one exchange may take and how much of it is kept. Times in seconds, sizes in bytes.

    `total_s` is wall clock: a peer that sends one byte a second must not outlive it.
    """

    dns_s: float = 3.0
    connect_s: float = 5.0
    tls_s: float = 5.0
    first_byte_s: float = 10.0
    total_s: float = 30.0
    wire_bytes: int = 5 * 1024 * 1024
    decoded_bytes: int = 10 * 1024 * 1024
    header_bytes: int = 64 * 1024

    def within(self, seconds: float) -> Budget:
        """Return the same budget with no time longer than `seconds`: the integration's own `timeout_s`."""
        limit = max(0.05, seconds)
        return Budget(
            dns_s=min(self.dns_s, limit),
            connect_s=min(self.connect_s, limit),
            tls_s=min(self.tls_s, limit),
            first_byte_s=min(self.first_byte_s, limit),
            total_s=min(self.total_s, limit),
            wire_bytes=self.wire_bytes,
            decoded_bytes=self.decoded_bytes,
            header_bytes=self.header_bytes,
        )
