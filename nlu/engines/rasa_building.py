"""`make rasa`: teaches Rasa the sentences our own engine learns from, and learns below what it had better say nothing.

Rasa lives in an environment of its own (its pins need Python before 3.11) and is never imported: it is run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlu.engine import OUT_OF_SCOPE
from nlu.loader import Example, load_examples

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".rasa"
PIPELINES, LOCALES = ("light", "diet"), ("zh", "en")
FALSE_REJECTS = 0.05  # the share of our own sentences the threshold may turn away, as for our own engine
_EVERY = 10  # one sentence of so many is held back to learn the threshold
_PORTS = {"zh": 5005, "en": 5006}
# Run by Rasa's own Python: one JSON text a line in, one answer a line out; the last line is what it took.
_PARSING = """
import asyncio, json, sys, time
from rasa.core.agent import Agent
agent = Agent.load(sys.argv[1])
times = []
async def main():
    for line in sys.stdin:
        began = time.perf_counter()
        answer = await agent.parse_message(json.loads(line))
        times.append((time.perf_counter() - began) * 1000)
        print("=" + json.dumps({"intent": answer["intent"], "intent_ranking": answer["intent_ranking"]}))
asyncio.run(main())
# Not ru_maxrss, which begins with what the process held that started this one.
memory = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print("=" + json.dumps({"ms": times, "memory_mb": memory}))
"""


class NoRasa(RuntimeError):
    """Rasa's environment is not there, or Rasa failed; says what to do."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What Rasa answered, in the order asked; milliseconds of each, and the memory its process held, MB."""

    answers: tuple[Any, ...]
    ms: tuple[float, ...]
    memory_mb: float


def build(pipeline: str, locale: str, home: Path = HOME) -> Path:
    """Trains one pipeline in one language, with a threshold learnt from held-out sentences. Returns the model. Raises NoRasa."""
    examples = load_examples(ROOT / "data" / "nlu" / locale)
    kept, held = split(examples, _EVERY)
    with tempfile.TemporaryDirectory() as folder:
        first = train(kept, pipeline, locale, Path(folder) / "first.tar.gz", home=home)
        ours = [example.text for example in held if example.intent != OUT_OF_SCOPE]
        threshold = threshold_of(parse_all(first, ours, home).answers)
    where = home / "models" / f"{pipeline}-{locale}.tar.gz"
    where.parent.mkdir(parents=True, exist_ok=True)
    return train(examples, pipeline, locale, where, threshold=threshold, home=home)


def split(examples: Sequence[Example], every: int) -> tuple[list[Example], list[Example]]:
    """What is learnt from and what is held back: one of `every` sentences of each intent, always the same ones."""
    kept: list[Example] = []
    held: list[Example] = []
    seen: dict[str, int] = {}
    for example in examples:
        seen[example.intent] = seen.get(example.intent, 0) + 1
        (held if seen[example.intent] % every == 0 else kept).append(example)
    return kept, held


def threshold_of(answers: Iterable[Any]) -> float:
    """The probability that FALSE_REJECTS of these answers to sentences of ours fall below."""
    best = sorted(float(_best(answer)) for answer in answers)
    return round(best[int(FALSE_REJECTS * len(best))], 4) if best else 0.0


def _best(answer: Any) -> float:
    return max(
        (row["confidence"] for row in answer["intent_ranking"] if row["name"] != OUT_OF_SCOPE), default=0.0
    )


def train(
    examples: Sequence[Example],
    pipeline: str,
    locale: str,
    where: Path,
    *,
    threshold: float = 0.0,
    home: Path = HOME,
) -> Path:
    """One model of these examples at `where`. Raises NoRasa."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "nlu.yml").write_text(_nlu(examples), encoding="utf-8")
        config = (ROOT / "data" / "rasa" / f"{pipeline}-{locale}.yml").read_text(encoding="utf-8")
        written = config.replace("\n  threshold: 0.0", f"\n  threshold: {threshold}")
        (work / "config.yml").write_text(written, encoding="utf-8")
        name = where.name.removesuffix(".tar.gz")
        _run(["-m", "rasa", "train", "nlu", "--nlu", "nlu.yml", "--config", "config.yml", "--out", "out",
              "--fixed-model-name", name], work, home)  # fmt: skip
        where.write_bytes((work / "out" / f"{name}.tar.gz").read_bytes())
    return where


def parse_all(model: Path, texts: Sequence[str], home: Path = HOME) -> Answers:
    """What a model answers to these texts. Raises NoRasa."""
    with tempfile.TemporaryDirectory() as folder:
        asked = "".join(json.dumps(text) + "\n" for text in texts)
        said = _run(["-c", _PARSING, str(model.resolve())], Path(folder), home, asked)
    lines = [json.loads(line[1:]) for line in said.splitlines() if line.startswith("=")]
    return Answers(tuple(lines[:-1]), tuple(lines[-1]["ms"]), lines[-1]["memory_mb"])


def python(home: Path = HOME) -> Path:
    """Rasa's own Python. Raises NoRasa where it was not built."""
    where = home / "venv" / "bin" / "python"
    if not where.exists():
        raise NoRasa("Rasa is not built here: `make rasa` builds it (it needs Python 3.8, 3.9 or 3.10).")
    return where


def _nlu(examples: Sequence[Example]) -> str:
    by_intent: dict[str, list[str]] = {}
    for example in examples:
        by_intent.setdefault(example.intent, []).append(f"    - {example.text}\n")
    blocks = [f"- intent: {intent}\n  examples: |\n{''.join(lines)}" for intent, lines in by_intent.items()]
    return 'version: "3.1"\nnlu:\n' + "".join(blocks)


def _run(arguments: list[str], work: Path, home: Path, given: str = "") -> str:
    """Runs Rasa's Python in a folder that holds nothing else: a file there named like a module would be taken for it."""
    environment = os.environ | {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [str(python(home)), "-W", "ignore", *arguments]
    done = subprocess.run(  # noqa: S603
        command, cwd=work, env=environment, input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NoRasa(f"Rasa failed: {done.stderr[-2000:]}")
    return done.stdout


def how_to_serve(models: Iterable[Path], home: Path = HOME) -> str:
    """What to type: one server a language, and the settings that use them."""
    lines = ["", "Serve them (each holds its own memory), telemetry off:"]
    settings = ["BANGJIAO_NLU_ENGINE=rasa"]
    for model in models:
        locale = model.name.removesuffix(".tar.gz").rpartition("-")[2]
        port = _PORTS[locale]
        lines.append(
            f"  RASA_TELEMETRY_ENABLED=false {_near(python(home))} -m rasa run --enable-api"
            f" -i 127.0.0.1 -p {port} -m {_near(model)}"
        )
        suffix = "" if locale == "zh" else "_EN"
        settings.append(f"BANGJIAO_RASA_URL{suffix}=http://127.0.0.1:{port}")
    return "\n".join([*lines, "Use them:", f"  {' '.join(settings)} bangjiao serve"])


def _near(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def main(arguments: list[str] | None = None) -> None:
    """Builds both languages of one pipeline and says how to serve them."""
    parser = argparse.ArgumentParser(prog="make rasa", description="Teaches Rasa our training sentences.")
    parser.add_argument("--pipeline", choices=PIPELINES, default="light")
    asked = parser.parse_args(arguments)
    try:
        models = []
        for locale in LOCALES:
            print(f"Training Rasa ({asked.pipeline}, {locale}); some minutes ...", flush=True)  # noqa: T201
            models.append(build(asked.pipeline, locale))
        print(how_to_serve(models))  # noqa: T201
    except NoRasa as problem:
        raise SystemExit(str(problem)) from problem


if __name__ == "__main__":
    main()
