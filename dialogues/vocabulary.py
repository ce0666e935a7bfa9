"""Every word of Rasa's open format: what it does here, or why it is refused.

The readers take what they accept from this table, and docs/format.md is written from it, so that neither can say more than
the other. A word is *read* (it does what Rasa says), *quiet* (accepted, and nothing would be different without it), *not
done* (a foreign folder may have it and is told so; our own files may not), or *refused*.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Standing = Literal["read", "quiet", "not done", "refused"]


@dataclass(frozen=True, slots=True)
class Word:
    """One key, or one of the values a key can have, at one place of the format."""

    place: str
    key: str
    standing: Standing
    meaning: str


_NO_MODEL = "no language model is asked here"
_ASKS_MODEL = "only a language model could do it, and none is asked here"
_FORMS = "a flow with collect steps does this"


def _words(place: str, *rows: tuple[str, Standing, str]) -> tuple[Word, ...]:
    return tuple(Word(place, *row) for row in rows)


WORDS: tuple[Word, ...] = (
    *_words(
        "file",
        ("version", "quiet", "the words below are all there is, of whatever version"),
        ("flows", "read", "pieces of business by id; files are merged, an id stands once"),
        ("slots", "read", "values a talk can hold; merged over files"),
        ("responses", "read", "sentences by name; the language is that of the file's place, or of `translation`"),
        ("session_config", "read", "when a talk that was left is a new one; written once"),
        ("intents", "read", "names; where any are listed, an `nlu_trigger` names one of them"),
        ("entities", "read", "names; where any are listed, a `from_entity` names one of them"),
        ("actions", "read", "names; where any are listed in our own files, each has its Python"),
        ("nlu", "quiet", "training sentences are read by `bangjiao nlu`, not with the flows"),
        ("config", "quiet", "how slots follow entities is said by their mappings"),
        ("forms", "refused", _FORMS),
        ("rules", "refused", "a flow says what follows what"),
        ("stories", "refused", "a flow says what follows what; tests are written as test_cases"),
        ("e2e_actions", "refused", "every sentence has a name, under responses"),
        ("prompts", "refused", _ASKS_MODEL),
        ("llm", "refused", _ASKS_MODEL),
        ("llm_config", "refused", _ASKS_MODEL),
    ),
    *_words(
        "session_config",
        ("session_expiration_time", "read", "minutes without a word, then what was not confirmed is put away; 0 or not written: never (Rasa: 60)"),
        ("carry_over_slots_to_new_session", "read", "true: values outlive that; false: they are forgotten"),
    ),
    *_words("intent", ("use_entities", "quiet", _NO_MODEL), ("ignore_entities", "quiet", _NO_MODEL)),
    *_words(
        "entity",
        ("roles", "read", "what a `from_entity` may name as role"),
        ("groups", "read", "what a `from_entity` may name as group"),
        ("influence_conversation", "quiet", "nothing is learned from talks"),
    ),
    *_words("action", ("send_domain", "quiet", "an action of ours always has the release")),
    # --- flows
    *_words(
        "flow",
        ("description", "read", "required; one sentence: what it does for people"),
        ("steps", "read", "required; the list of what is done"),
        ("name", "read", "what people call it, in the first language"),
        ("translation", "read", "what people call it, in others: `{en: {name: …}}`"),
        ("if", "read", "it starts only while this holds; `if: False`: only by call or link"),
        ("nlu_trigger", "read", "the intents that begin it; one intent begins one flow"),
        ("persisted_slots", "read", "values that outlive it; all others it filled fall back to their initial ones"),
        ("always_include_in_prompt", "quiet", _NO_MODEL),
        ("run_pattern_completed", "quiet", "no sentence is said after every errand, so none need be left out"),
        ("file_path", "quiet", "the reader knows where it stands"),
    ),
    *_words("translation of a flow", ("name", "read", "its name in that language"), ("description", "quiet", "for readers")),
    *_words("nlu_trigger", ("intent", "read", "a name, or `{name, confidence_threshold}`")),
    *_words(
        "trigger intent",
        ("name", "read", "the intent"),
        ("confidence_threshold", "quiet", "from 0 to 1; our understanding has one of its own, for all intents"),
    ),
    *_words(
        "step",
        ("id", "read", "its name within the flow; without one it is numbered"),
        ("next", "read", "a step, END, or a list of if/then and a last else; without one: the following step, at the end END"),
        ("description", "quiet", "for readers"),
        ("metadata", "read", "the one place for words of ours (docs/writing-flows.md)"),
        ("action", "read", "`utter_…` says a sentence, another name runs Python; its outcomes are declared and answered"),
        ("collect", "read", "asks for a slot, and passes when it is filled"),
        ("set_slots", "read", "a list of `- slot: value`; null empties it"),
        ("call", "read", "another flow as if it stood here; leaving it leaves this one"),
        ("link", "read", "ends here and goes on in another flow; last step only"),
        ("noop", "read", "`noop: true`, only branches; needs next"),
        ("intent", "refused", "what begins a flow stands in its nlu_trigger"),
        ("generation_prompt", "refused", _ASKS_MODEL),
    ),
    *_words(
        "collect",
        ("utter", "read", "the question; without it utter_ask_SLOT"),
        ("ask_before_filling", "read", "asked even when the value was said before"),
        ("force_slot_filling", "read", "only its answer counts; a person, stop, cancel, repeat and louder always do"),
        ("rejections", "read", "values refused, and what is said then; asked again in another way, the third time a person comes"),
        ("reset_after_flow_ends", "read", "false: the older way to write persisted_slots"),
        ("silence_timeout", "quiet", "seconds; on the telephone our own ladder of silence decides"),
    ),
    *_words(
        "call",
        ("exit_if", "refused", _ASKS_MODEL),
        ("mcp_server", "refused", _ASKS_MODEL),
        ("mapping", "refused", _ASKS_MODEL),
    ),
    *_words("rejection", ("if", "read", "when the value is refused"), ("utter", "read", "what is said then")),
    *_words(
        "branch",
        ("if", "read", "a condition; typed at loading, and one that cannot be decided brings a person, never the else"),
        ("then", "read", "a step, END, or a list of steps whose last one says where it leads"),
        ("else", "read", "the last branch, required"),
    ),
    # --- slots
    *_words(
        "slot",
        ("type", "read", "required"),
        ("values", "read", "of a categorical slot"),
        ("initial_value", "read", "of the slot's type; what it falls back to"),
        ("min_value", "read", "of a float: a smaller answer is not taken (Rasa only uses it to learn)"),
        ("max_value", "read", "of a float: a larger answer is not taken"),
        ("mappings", "read", "who may fill it"),
        ("validation", "read", "values refused wherever people say them"),
        ("influence_conversation", "quiet", "nothing is learned from talks"),
        ("shared_for_coexistence", "quiet", "there is one engine"),
        ("metadata", "refused", "words of ours stand in the metadata of a mapping, where Rasa leaves room"),
        ("auto_fill", "refused", "say by mappings who may fill it"),
    ),
    *_words(
        "slot type",
        ("text", "read", "a short text"),
        ("bool", "read", "true or false; yes and no answer it"),
        ("categorical", "read", "one of its values"),
        ("float", "read", "a number; never money"),
        ("list", "read", "several values"),
        ("any", "read", "anything, or one of our own types by the metadata of its mapping"),
        ("unfeaturized", "refused", "write any"),
    ),
    *_words(
        "validation",
        ("rejections", "read", "as at a collect, wherever the value comes from"),
        ("refill_utter", "read", "the question asked after a refusal; without it the usual one"),
    ),
    *_words(
        "mapping",
        ("type", "read", "required; see below"),
        ("conditions", "read", "it counts only in these flows"),
        ("entity", "read", "of from_entity, required there"),
        ("role", "read", "of from_entity"),
        ("group", "read", "of from_entity"),
        ("intent", "read", "a name or a list: only with one of these"),
        ("not_intent", "read", "a name or a list: with none of these"),
        ("value", "read", "of from_intent and from_trigger_intent, required there"),
        ("metadata", "read", "words of ours: type, depends_on, sensitive"),
        ("allow_nlu_correction", "quiet", "a correction is always allowed until the money is sent"),
        ("coexistence_system", "quiet", "there is one engine"),
        ("action", "not done", "an action runs where a flow says so, not at every word"),
        ("run_action_every_turn", "not done", "an action runs where a flow says so, not at every word"),
    ),
    *_words(
        "mapping type",
        ("custom", "read", "whatever understands people, and actions"),
        ("from_llm", "read", "the same: our own understanding stands in the model's place"),
        ("controlled", "read", "actions, set_slots and buttons only; what people say never fills it"),
        ("from_text", "read", "the whole text, where the slot is asked for and nothing else was understood"),
        ("from_intent", "read", "a fixed value, when the intent is heard while the slot is asked for"),
        ("from_trigger_intent", "read", "a fixed value, when the intent begins the flow"),
        ("from_entity", "read", "the value of an entity that came with an intent"),
    ),
    *_words(
        "mapping condition",
        ("active_flow", "read", "this flow, or one it calls, is on top"),
        ("active_loop", "refused", _FORMS),
        ("requested_slot", "refused", _FORMS),
    ),
    # --- responses
    *_words(
        "variation",
        ("text", "read", "with {slot}; a missing value is an error, never \"None\""),
        ("buttons", "read", "sent as tokens bound to person and question"),
        ("quick_replies", "read", "as buttons"),
        ("channel", "read", "voice, chat, or the name of a channel"),
        ("condition", "read", "a condition, or the older list of `{type: slot, name, value}`"),
        ("translation", "read", "the text in other languages"),
        ("allow_interruptions", "read", "false: no barge-in while it is spoken"),
        ("id", "read", "a name of this variation, once in all files"),
        ("metadata", "read", "words of ours"),
        ("button_type", "quiet", "each channel knows how its buttons look"),
        ("image", "not done", "no channel of ours sends it"),
        ("custom", "not done", "no channel of ours sends it"),
        ("attachment", "not done", "no channel of ours sends it"),
        ("elements", "not done", "no channel of ours sends it"),
    ),
    *_words(
        "button",
        ("title", "read", "what stands on it"),
        ("payload", "read", "`/SetSlots(a=x)`, `/intent{\"entity\": \"value\"}`, our own (`/affirm`, `/choose{\"x\"}` …), or text as if typed"),
        ("type", "quiet", "each channel knows how its buttons look"),
        ("image_url", "not done", "no channel of ours sends it"),
        ("content_type", "quiet", "each channel knows how its buttons look"),
    ),
    *_words(
        "variation metadata",
        ("rephrase", "not done", f"said as written: {_NO_MODEL}"),
        ("rephrase_prompt", "refused", _ASKS_MODEL),
        ("template", "refused", "no program stands in a sentence: write one variation for each condition"),
    ),
    *_words("response condition", ("type", "read", "slot"), ("name", "read", "the slot"), ("value", "read", "what it must be")),
    # --- tests
    *_words(
        "test file",
        ("test_cases", "read", "the talks"),
        ("fixtures", "read", "named values the talk begins with; also those of a conftest.yml beside it"),
        ("metadata", "read", "named facts of a talk: persona, channel, locale, given"),
        ("stub_custom_actions", "read", "what an action answers; `CASE::action` for one case only"),
        ("version", "quiet", "the words below are all there is"),
        ("llm_judge", "refused", _ASKS_MODEL),
        ("sequencing", "refused", "write assertion_order_enabled at the step"),
    ),
    *_words(
        "test case",
        ("test_case", "read", "required; its name"),
        ("fixtures", "read", "names of fixtures; `mocked_datetime` sets the clock"),
        ("metadata", "read", "a name of metadata"),
        ("steps", "read", "required"),
    ),
    *_words(
        "test step",
        ("user", "read", "what the person writes"),
        ("bot", "read", "a text said by the bot, spaces apart"),
        ("utter", "read", "a response said by its name"),
        ("slot_was_set", "read", "as a step of its own"),
        ("slot_was_not_set", "read", "as a step of its own"),
        ("assertions", "read", "what must have happened at this step"),
        ("assertion_order_enabled", "read", "in this order"),
        ("metadata", "read", "a mapping, ours: redeliver, double_tap, restart_process; a name is not understood, the case has one"),
        ("commands", "refused", "it says what a language model should answer, and none is asked here"),
    ),
    *_words(
        "assertion",
        ("flow_started", "read", "a flow, or `{operator: all | any, flow_ids}`"),
        ("flow_completed", "read", "a flow, or `{flow_id, flow_step_id}`"),
        ("flow_cancelled", "read", "the same"),
        ("pattern_clarification_contains", "read", "flows that were offered"),
        ("action_executed", "read", "an action"),
        ("slot_was_set", "read", "names, or `{name, value}`; type and value must be equal"),
        ("slot_was_not_set", "read", "the same"),
        ("bot_uttered", "read", "one message with all of utter_name, text_matches, buttons"),
        ("bot_did_not_utter", "read", "no message with all of them"),
        ("generative_response_is_relevant", "refused", "a language model would have to judge; assert text_matches or utter_name"),
        ("generative_response_is_grounded", "refused", "a language model would have to judge; assert text_matches or utter_name"),
    ),
    *_words(
        "flow assertion",
        ("operator", "read", "all or any"),
        ("flow_ids", "read", "of flow_started with operator"),
        ("flow_id", "read", "the flow"),
        ("flow_step_id", "read", "where it stood then"),
    ),
    *_words(
        "message assertion",
        ("utter_name", "read", "the response"),
        ("text_matches", "read", "a regular expression found in its text"),
        ("buttons", "read", "buttons it has, by title and payload"),
    ),
    *_words("slot assertion", ("name", "read", "the slot"), ("value", "read", "what it holds")),
    *_words(
        "stub",
        ("events", "read", "`{event: slot, name, value}`: what it writes"),
        ("responses", "not done", "an action of ours says nothing itself; flows do"),
        ("outcome", "read", "ours: which of its outcomes; without it the first it declares"),
    ),
    *_words(
        "stub event",
        ("event", "read", "slot"),
        ("name", "read", "the slot"),
        ("value", "read", "what is written"),
        ("timestamp", "quiet", "the clock of the talk counts"),
    ),
)  # fmt: skip


@lru_cache(maxsize=64)
def at(place: str) -> dict[str, Word]:
    """The words of one place, by key."""
    found = {word.key: word for word in WORDS if word.place == place}
    if not found:
        raise KeyError(place)
    return found


def known(*places: str) -> frozenset[str]:
    """The keys that may stand at these places."""
    return frozenset(key for place in places for key, word in at(place).items() if word.standing != "refused")


def find(key: str, *places: str) -> Word | None:
    """The word a key is at one of these places."""
    return next((at(place)[key] for place in places if key in at(place)), None)
