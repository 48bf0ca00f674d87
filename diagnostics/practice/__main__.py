"""Run the practice EHR as a process: `python -m diagnostics.practice --tenant north --fault net-tls-expired`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diagnostics.practice.case_builder import build_case
from diagnostics.practice.faults import FAULTS
from diagnostics.practice.server import PracticeEhr, UnknownName


@dataclass(frozen=True)
class Options:
    """What the process is asked to run."""

    tenants: tuple[str, ...] = ("north",)
    faults: tuple[str, ...] = ()
    randomize: int | None = None
    state_dir: Path | None = None
    control_port: int = 0
    control_token: str | None = None
    log_dir: Path | None = None
    ready_file: Path | None = None
    case: Path | None = None
    latency_s: float = 0.0


def parse(arguments: list[str]) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="practice_ehr", description="Run the practice EHR.")
    add_arguments(parser)
    return options_of(parser.parse_args(arguments))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options, also for the management command."""
    parser.add_argument("--tenant", action="append", help="a tenant's name; may stand several times (north)")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="[TENANT:]NAME",
        help="make a tenant (or all) ill with this fault",
    )
    parser.add_argument("--list", action="store_true", help="list the faults and stop")
    parser.add_argument("--randomize", type=int, metavar="SEED", help="replace every free text, path and host name")
    parser.add_argument("--state", type=Path, help="folder for certificates, keys and ports that outlive a restart")
    parser.add_argument("--logs", type=Path, help="folder for the audit trail and the ledger")
    parser.add_argument("--control-port", type=int, default=0, help="port of the control interface (any)")
    parser.add_argument("--control-token", help="token of the control interface (made up and printed)")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="let every answer take this much longer")
    parser.add_argument("--ready-file", type=Path, help="file that is written once everything listens")
    parser.add_argument("--case", type=Path, help="also play the first tenant's fault and write a case folder here")


def options_of(parsed: argparse.Namespace) -> Options:
    """Turn parsed arguments into options; `--list` prints and ends."""
    if parsed.list:
        for fault in FAULTS.values():
            print(f"{fault.name:34} {fault.cause:34} {fault.symptom}")
        raise SystemExit(0)
    return Options(
        tenants=tuple(parsed.tenant or ("north",)),
        faults=tuple(parsed.fault),
        randomize=parsed.randomize,
        state_dir=parsed.state,
        control_port=parsed.control_port,
        control_token=parsed.control_token,
        log_dir=parsed.logs,
        ready_file=parsed.ready_file,
        case=parsed.case,
        latency_s=parsed.latency_ms / 1000,
    )


def make_ill(ehr: PracticeEhr, faults: tuple[str, ...]) -> None:
    """Apply `[TENANT:]NAME` words to the tenants they mean."""
    chosen: dict[str, set[str]] = {name: set() for name in ehr.tenants}
    for word in faults:
        tenant, colon, name = word.rpartition(":")
        for target in (tenant,) if colon else ehr.tenants:
            ehr.tenant(target)
            chosen[target].add(name)
    for tenant, names in chosen.items():
        ehr.set_faults(tenant, names)


def serve(options: Options, stopped: threading.Event | None = None) -> int:
    """Run until SIGINT or SIGTERM (or the given event) and report where everything listens."""
    stop = stopped or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    if options.state_dir:
        options.state_dir.mkdir(parents=True, exist_ok=True)
    ehr = PracticeEhr(
        options.tenants,
        randomize=options.randomize,
        state_dir=options.state_dir,
        control_port=options.control_port,
        control_token=options.control_token,
        log_dir=options.log_dir,
    )
    ehr.latency_s = options.latency_s
    with ehr:
        try:
            make_ill(ehr, options.faults)
            if options.case:
                name = options.faults[0].rpartition(":")[2] if options.faults else None
                build_case(ehr, options.tenants[0], name, options.case)
        except UnknownName as error:
            print(error, file=sys.stderr)
            return 2
        told = {
            "control_url": ehr.control.url,
            "resolver": ehr.resolver,
            "ca_pem": ehr.ca_pem.decode(),
            "tenants": {name: ehr.tenant(name).fhir_base for name in ehr.tenants},
        }
        print(json.dumps(told | ({} if options.control_token else {"control_token": ehr.control.token})), flush=True)
        if options.state_dir:
            _tell(options.state_dir / "running.json", told | {"control_token": ehr.control.token})
        if options.ready_file:
            _tell(options.ready_file, told)
        stop.wait()
        if options.state_dir:
            (options.state_dir / "running.json").unlink(missing_ok=True)
    return 0


def _tell(path: Path, document: Mapping[str, object]) -> None:
    """Write a file whole or not at all: a reader may already be waiting for it."""
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(document), encoding="utf-8")
    new.replace(path)


def main(arguments: list[str]) -> int:
    """Run with the words of a command line."""
    return serve(parse(arguments))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
