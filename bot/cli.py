"""The `bangjiao` command: the demo town, the server, a talk in the terminal, and the tools around them."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from bot import logs
from bot.commands import audit, explore, flows, keeping, ledger, mandates, notices, operator, simulate
from bot.settings import Settings

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
    help="帮缴 — pays household bills by talking. Money moves only through a payment gateway.",
    rich_markup_mode=None,
)
nlu_app = typer.Typer(
    no_args_is_help=True, help="Understanding: train, measure, try. Example: bangjiao nlu parse 交电费"
)
app.add_typer(nlu_app, name="nlu")

people_app = typer.Typer(
    no_args_is_help=True,
    help="Who is enrolled, and who may act for whom. Example: bangjiao people enrol 王芳 --phone 02155501234",
)
app.add_typer(people_app, name="people")
app.add_typer(audit.app, name="audit")
keeping.register(app)
operator.register(app)
mandates.register(app)
notices.register(app)
ledger.register(app)
simulate.register(app)
flows.register(app)
explore.register(app)

Json = Annotated[bool, typer.Option("--json", help="machine-readable output, alone on standard output")]


@app.command(help="Start the demo town and print one address. Example: bangjiao demo --port 8080")
def demo(
    port: Annotated[int | None, typer.Option(help="port of the page; 0 takes any free one")] = None,
    folder: Annotated[
        Path, typer.Option(help="where the demo keeps its databases; emptied at every start")
    ] = Path("var/demo"),
    as_json: Json = False,
) -> None:
    from bot import demo as town
    from bot.serving import announce_json, pages, serve

    settings = Settings()
    logs.set_up("WARNING" if settings.log_level == "INFO" else settings.log_level)
    listening = town.listening(settings.host, settings.port if port is None else port)
    address = f"http://{settings.host}:{listening.getsockname()[1]}"
    out = Console(stderr=as_json)
    out.print("Starting the demo town (play money, invented people) ...")
    with town.sandbox(town.fresh_folder(folder), f"{address}/callbacks/rail") as running:

        def announce() -> None:
            if as_json:
                announce_json(url=address, sandbox=running.url, control_token=running.control_token)
                return
            out.print(f"\n  打开 / open   [bold]{address}[/bold]\n")
            out.print(f"  工作人员 / staff page   {address}/staff   赵工, {_staff_pin()}", soft_wrap=True)
            out.print("  Ctrl-C ends it.")

        async def run() -> None:
            application, world = town.assembled(folder, running, settings)
            ticking = asyncio.create_task(town.keep_time(application, world, running))
            try:
                await serve(application, pages(application, demo=True, town=world), listening, announce)
            finally:
                ticking.cancel()
                with suppress(asyncio.CancelledError):
                    await ticking

        with suppress(KeyboardInterrupt):
            asyncio.run(run())


def _staff_pin() -> str:
    from data.town import load_world

    return next((p.pin for p in load_world().people.values() if p.person.role == "operator"), "")


@app.command(help="Serve the page and the rail's callbacks. Example: bangjiao serve --port 8080")
def serve(
    port: Annotated[int | None, typer.Option(help="port of the page; 0 takes any free one")] = None,
    as_json: Json = False,
) -> None:
    from bot import demo as town
    from bot.app import build, enrol_town
    from bot.serving import announce_json, pages
    from bot.serving import serve as serve_pages

    settings = _lasting(Settings()).named("serve")
    logs.set_up(settings.log_level)
    listening = town.listening(settings.host, settings.port if port is None else port)
    address = f"http://{settings.host}:{listening.getsockname()[1]}"

    async def run() -> None:
        application = build(settings)
        if settings.town:
            enrol_town(application.store, None, application.clock.now())

        def announce() -> None:
            announce_json(url=address) if as_json else Console().print(f"bangjiao serves at {address}")

        await serve_pages(application, pages(application, demo=settings.town), listening, announce)

    with suppress(KeyboardInterrupt):
        asyncio.run(run())


def _lasting(settings: Settings) -> Settings:
    if not settings.lasts:
        raise SystemExit(
            "Set BANGJIAO_SECRET to a long random text and keep it: account numbers are sealed with it, and nothing else opens them."
        )
    return settings


@app.command(help="Carry out due payments durably and send what is waiting. Example: bangjiao worker")
def worker() -> None:
    from bot.working import work

    settings = _lasting(Settings()).named("worker")
    logs.set_up(settings.log_level)
    with suppress(KeyboardInterrupt):
        asyncio.run(work(settings))


@app.command(help="Talk in the terminal as somebody of the demo town. Example: bangjiao chat --as limin")
def chat(
    person: Annotated[
        str,
        typer.Option(
            "--as", help="who you are: limin, lijg, wangxy, zhanggf, chenm, chengfs, xiaozhou, zhao, qian"
        ),
    ],
    folder: Annotated[
        Path, typer.Option(help="where this talk keeps its databases; emptied at every start")
    ] = Path("var/chat"),
    language: Annotated[str, typer.Option(help="zh or en")] = "",
) -> None:
    from bot.chatting import chat as talk

    logs.set_up("ERROR")
    raise typer.Exit(asyncio.run(talk(person, folder, Settings(), Console(), language)))


@app.command(
    help="Play conversation tests and acceptance scripts. Example: bangjiao play tests/scenarios/open.md --json"
)
def play(
    files: Annotated[list[Path], typer.Argument(help="scripts (.md, .yml) to play", exists=True)],
    only: Annotated[list[str] | None, typer.Option(help="only these cases, by id")] = None,
    mutate: Annotated[
        list[str] | None,
        typer.Option(help="redelivery, double_tap, restart, channel, together: play so at each step"),
    ] = None,
    as_json: Json = False,
) -> None:
    from bot.playground import playground
    from dialogues.testing import playing

    logs.set_up("ERROR")
    out = Console(stderr=True)

    def progress(case: Any) -> None:
        mark = {"passed": "[green]ok  [/green]", "failed": "[red]FAIL[/red]"}.get(
            case.status, "[yellow]n/a [/yellow]"
        )
        out.print(f"{mark} {case.id}  {case.seconds:.1f}s  {escape(case.detail)}", highlight=False)

    with playground(Settings()) as fresh_world:
        report = asyncio.run(playing.play(files, fresh_world, only, tuple(mutate or ()), progress))
    if as_json:
        print(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        out.print(f"{report.passed} passed, {report.failed} failed, {len(report.unsupported)} unsupported")
    raise typer.Exit(1 if report.failed else 0)


@app.command(
    help="Check flows, slots and sentences; ours, or any folder of Rasa files. Example: bangjiao lint --json"
)
def lint(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="files or folders (default: the house's own)")
    ] = None,
    as_json: Json = False,
) -> None:
    from bot.linting import linted

    found, line = linted(paths)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for row in found["errors"]:
            print(f"{row['file']}:{row['line']}: {row['message']}")
        for row in found.get("notes", ()):
            print(f"{row['file']}:{row['line']}: note: {row['message']}")
        print(line)
    raise typer.Exit(1 if found["errors"] else 0)


# --- understanding ------------------------------------------------------------------------------------------------


@nlu_app.command(help="Train what is not trained yet. Example: bangjiao nlu train")
def train(as_json: Json = False) -> None:
    from bot.app import NLU_DATA
    from nlu.tools import train_all

    made = {locale: str(where) for locale, where in train_all(NLU_DATA, Settings().cache_dir).items()}
    if as_json:
        print(json.dumps(made, ensure_ascii=False))
    else:
        print("\n".join(f"{locale}: {where}" for locale, where in made.items()))


@nlu_app.command(
    help="Look over the training sentences and those they are measured by. Example: bangjiao nlu check"
)
def check(
    trained: Annotated[Path | None, typer.Option(help="folder with a folder a language")] = None,
    measured: Annotated[Path | None, typer.Option(help="folder of the splits, likewise")] = None,
) -> None:
    from bot.app import NLU_DATA
    from nlu.checking import check
    from nlu.tools import LOCALES

    learnt = trained or NLU_DATA
    found = [
        finding
        for locale in LOCALES
        for finding in check(learnt, measured or learnt.parent / "nlu-test", locale)
    ]
    for finding in found:
        print(finding)
    print(f"{len(found)} to put right" if found else "nothing to put right")
    if found:
        raise typer.Exit(1)


@nlu_app.command(
    "eval",
    help="Train on one set, measure on another. Example: bangjiao nlu eval --train a.yml --test b.jsonl",
)
def evaluate(
    train_file: Annotated[
        Path, typer.Option("--train", exists=True, help="Rasa nlu file or folder, or jsonl")
    ],
    test_file: Annotated[
        Path, typer.Option("--test", exists=True, help="the same; intent `oos` is out of scope")
    ],
    locale: Annotated[str, typer.Option(help="zh or en")] = "zh",
    engine: Annotated[str, typer.Option(help="default, rasa, rasa-diet or llm")] = "default",
    as_json: Json = False,
) -> None:
    from bot.app import language_model
    from nlu.engines.rasa_building import NoRasa
    from nlu.loader import TrainingFileError, load_examples
    from nlu.tools import evaluate as measure

    settings = Settings()
    try:
        intents = frozenset(example.intent for example in load_examples(train_file))
        adviser = language_model(settings, intents) if engine == "llm" else None
        found = measure(train_file, test_file, locale, engine, adviser, settings.nlu_budget_seconds)
    except (TrainingFileError, NoRasa, ValueError) as problem:
        raise SystemExit(str(problem)) from problem
    shown = (f"{name}: {figure}" for name, figure in found.items())
    print(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(shown))


@nlu_app.command(help="What a sentence is understood as. Example: bangjiao nlu parse 帮我妈交水费")
def parse(
    text: str, locale: Annotated[str, typer.Option(help="zh or en")] = "zh", as_json: Json = False
) -> None:
    from bot.app import read_words
    from nlu.commands import Expectation, Utterance
    from nlu.engines.ahead import heard

    understanding = read_words(Settings()).understanding
    said, state = Utterance(text=text), Expectation(locale=locale)
    commands = asyncio.run(heard(lambda: understanding.understand(said, state)))
    shown = [{"command": type(c).__name__, **_fields(c)} for c in commands]
    print(json.dumps(shown, ensure_ascii=False) if as_json else "\n".join(map(str, commands)))


@nlu_app.command(help="Read one value. Example: bangjiao nlu value 一百二 --type money")
def value(
    text: str,
    kind: Annotated[str, typer.Option("--type", help="money, digits, month or rule")] = "money",
    locale: Annotated[str, typer.Option(help="zh or en")] = "zh",
    as_json: Json = False,
) -> None:
    from nlu.tools import value as read

    try:
        found = read(text, kind, locale)
    except ValueError as problem:
        raise SystemExit(str(problem)) from problem
    shown = (f"{name}: {said}" for name, said in found.items())
    print(json.dumps(found, ensure_ascii=False, default=str) if as_json else "\n".join(shown))


def _fields(command: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {k: v for k, v in asdict(command).items() if k != "digits"}


@people_app.command(
    "list", help="Everybody, masked, and what each lets others do. Example: bangjiao people list"
)
def list_people(as_json: Json = False) -> None:
    from bot import registry

    rows = registry.everybody(Settings())
    print(json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(map(registry.line, rows)))


@people_app.command(
    help="Enrol somebody who was identified in person. Example: bangjiao people enrol 王芳 --phone 02155501234"
)
def enrol(
    name: str,
    phone: Annotated[str, typer.Option(help="a telephone number that was checked")],
    role: Annotated[str, typer.Option(help="family, helper, operator or auditor")] = "family",
    elder: Annotated[bool, typer.Option(help="told of payments others make")] = False,
    plain_phone: Annotated[bool, typer.Option(help="the telephone shows no messages")] = False,
    language: Annotated[str, typer.Option(help="zh or en")] = "zh",
) -> None:
    from bot import registry

    print(registry.enrol(Settings(), name, phone, role, elder=elder, smart=not plain_phone, locale=language))


@people_app.command(
    help="GIVER lets TAKER see or pay, after his yes in person. Example: bangjiao people link p_1 p_2 --is daughter"
)
def link(
    giver: str,
    taker: str,
    relation: Annotated[
        str, typer.Option("--is", help="what TAKER is to GIVER: daughter, son, spouse, helper …")
    ],
    may: Annotated[str, typer.Option(help="see or pay")] = "see",
) -> None:
    from bot import registry

    registry.link(Settings(), giver, taker, relation, may)


def main() -> None:
    """Runs the command line; a mistake of ours is one sentence, never a stack of frames."""
    from sqlalchemy.exc import OperationalError

    from bot.registry import CannotEnrol
    from data.store.presence import NameTaken
    from data.store.sealing import BrokenSeal
    from nlu.classifier import NotTrained

    try:
        app()
    except (NotTrained, CannotEnrol, NameTaken) as problem:
        sys.exit(str(problem))
    except BrokenSeal:
        sys.exit("BANGJIAO_SECRET is not the secret this database was sealed with. Nothing was done.")
    except OperationalError:  # its text may name the address with its password
        sys.exit("The database of BANGJIAO_DATABASE_URL does not answer or cannot be written.")


if __name__ == "__main__":
    main()
