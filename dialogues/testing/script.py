"""A talk written down beforehand: who acts, what happens, what must be said, and what must be true at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dialogues.model import Where


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- the vocabulary of the notation -------------------------------------------------------------------------------

GIVEN = words(
    "account_saved mandate captured_this_month instruments grant_extra gateway billers payment_done payment_pending "
    "history consent usage_hourly outlets_near event_due family_word rule_change console load interleavings "
    "tamper"
)
FAULTS = words(
    "timeout_then_paid_after timeout_never_paid slow error_500 declined declined_by_biller_maintenance "
    "insufficient_funds down"
)
HUMAN = ("say", "voice", "key", "tap", "photo", "silence", "call_in", "hangup")
EVENTS = words(
    "meter biller_ack biller change billers channel gateway instruments callback callbacks outbound_call reconcile "
    "import_outlets run_load race process"
)
EXPECT = words(
    "says not_says asks to channel max_chars image voice_note slower bot_silent ends not_repeat_exactly"
)
RENDERED = frozenset({"expect.image", "expect.voice_note", "then.receipts.layout"})  # may be left out
ASKS = ("account", "name_check", "amount", "confirm", "choice", "consent", "code", "open")
THEN = words(
    "captures captures_new captures_by_audit posted refunds holds state retries_of_auto_debit "
    "refund_done_said_only_after_gateway_ack outbox outbox_count tickets alerts grants mandates prefs reminders "
    "cool_off new_payees hung_up_by nags_between pressure_words_used screen_cleared watch_paused_until "
    "group_rental_flag audit receipts receipt_check old_receipts_unchanged hash_chain_ok ledger_rows_kept "
    "pseudonymised reads_logged voice_recordings exceptions_open export claims_have_source_and_date "
    "ungrounded_policy_claims http_status_to_forger for_every_order answered p95_text_ms wrong_household_answers "
    "grants_respected outlets_active"
)
AUDIT = words(
    "consent_recorded consent_withdrawn mandate_created mandate_changed mandate_revoked mandate_suspended "
    "name_check_passed name_check_failed digit_doubt_resolved confirmed confirmed_by_elder elder_refused "
    "started_by_helper second_factor_passed second_factor_failed captured posted rule_version_used "
    "duplicate_callback_ignored late_conflicting_callback forged_callback_refused duplicate_payment_found "
    "refund_requested refunded handoff_started handoff_ended takeover grant_created grant_revoked access_refused "
    "scam_warning_given outlet_refused_cash import_rejected tamper_found data_read"
)
TICKETS = words(
    "callback human print_receipt cutoff_risk home_help home_visit outlet_refused_cash payment_message_rejected "
    "scam_suspected dispute refund outage"
)
SCRIPT = words("id title persona release channel seeds given steps then")
STRANGER = "stranger"


# --- steps --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recogniser returned: alternatives, best first, and how sure it was of the first."""

    nbest: tuple[str, ...]
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Tap:
    """A button by its command, with arguments."""

    command: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Press:
    """A button by what stands on it; `back` counts older messages that carry it."""

    label: str
    back: int = 0


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture and what is to be seen in it."""

    file: str
    content: str


@dataclass(frozen=True, slots=True)
class Human:
    """A person does something. `person` None is the persona of the script.

    kind and value: say, key, call_in: str · voice: Heard · tap: Tap · press: Press · photo: Photo · silence: timedelta ·
    hangup: None.
    """

    where: Where
    kind: str
    value: Any
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Advance:
    """The clock moves."""

    where: Where
    by: timedelta


@dataclass(frozen=True, slots=True)
class Event:
    """Something happens outside. `person`: who causes it, where a person does."""

    where: Where
    name: str
    value: Any
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Race:
    """These happen at the same time."""

    where: Where
    steps: tuple[Human | Advance | Event, ...]


@dataclass(frozen=True, slots=True)
class Disturb:
    """The technique misbehaves: redeliver | double_tap | restart. None of it may move money."""

    where: Where
    kind: str
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """What must have been sent since the last human step (keys as in the notation)."""

    where: Where
    says: tuple[str, ...] = ()
    not_says: tuple[str, ...] = ()
    asks: str | None = None
    to: str | None = None
    channel: str | None = None
    max_chars: int | None = None
    image: Any = None
    voice_note: bool | None = None
    slower: bool | None = None
    bot_silent: bool | None = None
    ends: bool | None = None
    not_repeat_exactly: bool | None = None


@dataclass(frozen=True, slots=True)
class Assertion:
    """One assertion of a test case in Rasa's format, under the step it stands with."""

    where: Where
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold after the last human step, in Rasa's words. `ordered`: in this order."""

    where: Where
    assertions: tuple[Assertion, ...]
    ordered: bool = False


Step = Human | Advance | Event | Race | Disturb | Expect | Check


# --- a script -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Script:
    """One talk. `unknown` names keys nobody has explained: such a script is unsupported, never skipped in silence."""

    id: str
    where: Where
    steps: tuple[Step, ...]
    title: str = ""
    persona: str = STRANGER
    release: str = ""
    channel: str | None = None
    locale: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    then: Mapping[str, Any] = field(default_factory=dict)
    town: Mapping[str, Any] | None = None
    unknown: tuple[str, ...] = ()
    start: datetime | None = None  # of the first step; None: where every acceptance script starts


class Unknown(str):
    """A key nobody has explained, or that the format refuses, and where it stands."""

    where: Where

    def __new__(cls, key: str, where: Where = Where("", 0)) -> Unknown:
        one = super().__new__(cls, key)
        one.where = where
        return one


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something in a file that cannot be read as a script."""

    where: Where
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class BadScript(ValueError):
    """A script says something that cannot be; the text names file and line."""

    def __init__(self, where: Where, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.mistake = Mistake(where, message)


@dataclass(frozen=True, slots=True)
class Book:
    """What one file holds: the scripts that could be read, and what could not."""

    file: Path
    scripts: tuple[Script, ...]
    mistakes: tuple[Mistake, ...] = ()
