"""Everything that can be configured, read once from the environment (prefix BANGJIAO_)."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from nlu.engines.elsewhere import BUDGET_SECONDS


class Settings(BaseSettings):
    """One frozen set of settings. A secret is never shown; a missing one is made up for this start only."""

    model_config = SettingsConfigDict(env_prefix="BANGJIAO_", frozen=True, extra="ignore")

    database_url: str = Field(
        "sqlite:///var/bangjiao.db", description="sqlite:///FILE or postgresql+psycopg://…"
    )
    secret: SecretStr = Field(
        default_factory=lambda: SecretStr(secrets.token_urlsafe(32)),
        description="seals account numbers and signs cookies; keep it, what was sealed with it opens with nothing else",
    )
    secret_before: SecretStr = Field(
        SecretStr(""),
        description="the secret used until now, while `bangjiao keys rotate` seals everything anew; afterwards take it away",
    )
    host: str = Field("127.0.0.1", description="address the web page listens on")
    port: int = Field(8080, description="port of the web page; 0 takes any free one")
    cache_dir: Path = Field(Path(".cache"), description="where the trained understanding is kept")
    nlu_engine: Literal["default", "rasa", "llm"] = Field(
        "default",
        description="who guesses what a sentence is about: ours, a Rasa server, or ours with a language model",
    )
    nlu_budget_seconds: float = Field(
        BUDGET_SECONDS,
        gt=0,
        le=5,
        description="how long a talk waits for the opinion of an engine elsewhere; then ours decides",
    )
    rasa_url: str = Field("", description="address of a Rasa server with the Chinese model (`make rasa`)")
    rasa_url_en: str = Field("", description="the same with the English model; without it ours reads English")
    llm_url: str = Field("", description="an OpenAI-compatible address, up to and with its version (…/v1)")
    llm_model: str = Field("", description="the model's name there")
    llm_key: SecretStr = Field(SecretStr(""), description="the key for that address, where it wants one")
    gateway_url: str = Field(
        "", description="address of the payment gateway (the sandbox speaks the published contract)"
    )
    gateway_secret: SecretStr = Field(
        SecretStr(""), description="key that signs the gateway's callbacks (whsec_…)"
    )
    gateway_control_token: SecretStr = Field(
        SecretStr(""), description="control port of the sandbox; only in a demo town"
    )
    gateway_timeout_seconds: float = Field(
        8.0, description="how long one answer of the gateway is waited for"
    )
    patience_seconds: float = Field(
        3.0, description="after this a person hears that it is still being looked up"
    )
    messages_a_minute: int = Field(
        60,
        ge=0,
        description="so many messages of one person are read in a minute, 停 and 人工 always; 0: any number",
    )
    sweep_seconds: float = Field(
        300.0, description="how often meters and bills that somebody looks after are read"
    )
    biller_per_second: float = Field(
        50.0,
        gt=0,
        description="how many balances a second one biller is asked for, by all processes together",
    )
    keep_days: int = Field(
        400,
        ge=30,
        description="how long talks and letters are kept; what payments and agreements rest on stays",
    )
    executor: str = Field(
        "",
        max_length=40,
        pattern=r"^[\w.-]*$",
        description="name of this process; two live processes never share one; default: a new one at every start",
    )
    keep_wakings_days: int = Field(
        30, ge=1, description="how long the worker's wake-ups are kept; nothing rests on them"
    )
    redis_url: str = Field(
        "",
        description="redis://… or unix://…; rings at pages of other processes and counts messages; optional, comfort only",
    )
    durable_url: str = Field("", description="database of the durable waking; default: beside database_url")
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="what a monitoring program shows at /metrics (Authorization: Bearer …); without it nobody is answered",
    )
    metrics_loopback: bool = Field(
        False,
        description="answer /metrics to this machine without a token; never where a proxy of this machine passes requests on",
    )
    town: bool = Field(False, description="enrol the demo town when nobody is enrolled yet")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @property
    def lasts(self) -> bool:
        """Whether the secret was given: what a made-up one seals, nothing opens after a restart."""
        return "secret" in self.model_fields_set

    def named(self, role: str) -> Settings:
        """The same settings with a name for this process, unless one was given.

        On PostgreSQL a new one at every start. On SQLite one process of a kind works at a time, and under the
        name of the one before it finds what that one left.
        """
        if self.executor:
            return self
        made_up = f"{role}-{socket.gethostname()[:16]}-{os.getpid()}-{secrets.token_hex(3)}"
        alone = self.database_url.startswith("sqlite")
        return self.model_copy(update={"executor": role if alone else made_up})

    @property
    def waking_url(self) -> str:
        """Where the worker keeps its wake-ups: on PostgreSQL the same server, on SQLite a file beside ours."""
        if self.durable_url:
            return self.durable_url
        if self.database_url.startswith("sqlite:///"):
            return self.database_url.removesuffix(".db") + "-waking.db"
        return self.database_url
