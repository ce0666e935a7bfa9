"""Writes down what a real Rasa server answers, for the tests where none runs: `python -m tests.nlu.engines.record zh URL`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx

RECORDED = Path(__file__).parent / "recorded"

# The last one of each is about nothing of ours.
SENTENCES = {
    "zh": ["查电费", "帮我看看这个月用了多少", "我想找人工", "自动缴费都设了哪些", "字太小了看不清", "帮我订一张去杭州的火车票"],
    "en": ["what do i owe this month", "show me my earlier bills", "i want to talk to a person", "bigger letters please", "book me a train ticket to paris"],
}  # fmt: skip


def record(locale: str, url: str) -> None:
    """One file of a language: the server's status, and its answer to each sentence."""
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as rasa:
        status = rasa.get("/status").raise_for_status().json()
        answers = [
            rasa.post("/model/parse", json={"text": text}).raise_for_status().json()
            for text in SENTENCES[locale]
        ]
    # Where the model lies on the machine that recorded is nobody's business.
    status["model_file"] = status["model_file"].rpartition("/")[2]
    RECORDED.mkdir(exist_ok=True)
    written = json.dumps({"status": status, "parse": answers}, ensure_ascii=False, indent=1)
    (RECORDED / f"{locale}.json").write_text(written + "\n", encoding="utf-8")


if __name__ == "__main__":
    record(*sys.argv[1:])
