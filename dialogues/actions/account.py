"""Settling which account is meant: the household's saved ones, a typed number, and the name that must fit it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from data.catalogue import Catalogue, fits
from data.ids import BillerId, PersonId
from data.model import Biller, Utility
from data.store import journal
from data.store.engine import Tx
from dialogues.actions.choosing import MORE, Page, Place, by_keys, listed, page_of
from dialogues.actions.homes import is_meant, nobody_we_may_see, under_one_roof
from dialogues.actions.ports import Arguments, Inside, Outside, Result, bill_name, inside, outside
from payments.authority import access, accounts, people
from payments.authority.accounts import KnownAccount
from payments.quoting import HolderFound, Trouble

_NAMES_BEFORE_A_PERSON_HELPS = 3


@inside(
    "action_choose_account",
    "one several typed none no_grant",
    reads="utility account account_choice relation person_name account_id but_account list_page",
    writes="account_id bill_name biller_name tail holder biller own_tail account_choice account_choices account_list list_page",
)
def choose_account(room: Inside, slots: Arguments) -> Result:
    """One saved account that fits what was said, several to choose from, or a number still to be checked."""
    utility = Utility(slots["utility"])
    known = accounts.known_accounts(room.tx, room.person, room.now, utility)
    own = next((k for k in known if k.relation == "self"), None)
    basis = {
        "bill_name": bill_name(room.catalogue, utility, room.locale),
        "own_tail": own.account.tail if own else None,
    }
    if nobody_we_may_see(room, slots):
        return Result("no_grant", basis)
    found, typed = _fitting(known, slots)
    found = [k for k in found if k.account.id != slots.get("but_account")] or found
    if len(found) == 1:
        return Result("one", basis | described(room.catalogue, found[0], room.locale))
    if typed:
        return Result("typed", basis)
    if found:
        page = choices(found, room, page_of(slots, "account_choice"))
        told = {"account_choices": page.words, "account_list": page.told, "list_page": page.number}
        return Result("several", basis | told | {"account_choice": None})
    return Result("none", basis)


def _fitting(known: list[KnownAccount], slots: Arguments) -> tuple[list[KnownAccount], bool]:
    """The saved accounts that fit, and whether a number was typed that none of them has."""
    wish = slots.get("account")
    if slots.get("account_id"):
        return [k for k in known if k.account.id == slots["account_id"]], False
    if slots.get("account_choice") not in (None, MORE):
        return [k for k in known if k.account.id == slots["account_choice"]], False
    if wish == "own":
        return [k for k in known if k.relation == "self"] or known, False
    if wish:
        same = [k for k in known if k.account.number == wish or (len(wish) == 4 and k.account.tail == wish)]
        return same, not same
    theirs = [k for k in known if is_meant(k, slots)] or [k for k in known if under_one_roof(k, slots)]
    # Whose an account is may never have been told; the holder's name is read back before anything is paid.
    unplaced = [k for k in known if not k.relation] if slots.get("relation") else []
    return theirs or unplaced, False


def described(catalogue: Catalogue, known: KnownAccount, locale: str) -> dict[str, Any]:
    """The slots that say which account is meant, without its number."""
    account = known.account
    return {
        "account_id": account.id,
        "biller": account.biller,
        "bill_name": bill_name(catalogue, account.utility, locale),
        "biller_name": catalogue.biller(account.biller).name[locale],
        "tail": account.tail,
        "holder": account.holder_masked,
    }


def choices(found: Iterable[KnownAccount], room: Inside, page: int = 0) -> Page:
    """Several accounts as words to choose by and a short list to read."""
    places = {known.account.id: _place(known, room) for known in found}
    return listed(
        {str(i): place for i, place in places.items()}, room.locale, spoken=room.facts.spoken, page=page
    )


def _place(known: KnownAccount, room: Inside) -> Place:
    account = known.account
    label = known.label or account.holder_masked
    name = bill_name(room.catalogue, account.utility, room.locale)
    tail = f"尾号{account.tail}" if room.locale == "zh" else f"ending {account.tail}"
    return Place(f"{label} {name} {tail}", f"{label} {account.tail}", (account.tail, label))


@outside(
    "action_find_holder",
    "found several not_found trouble",
    reads="utility account city",
    writes="biller biller_name bill_name holder last_number tail city_choices city_list trouble",
    reads_others=True,
)
async def find_holder(room: Outside, slots: Arguments) -> Result:
    """Whose account is this number? Only the masked name comes back, and no amount."""
    number = slots["account"]
    candidates = [
        b for b in room.catalogue.billers(slots["utility"], slots.get("city")) if fits(b.form, number)
    ]
    answers = [await room.quoting.holder(room.person, b.id, number) for b in candidates]
    found = [a for a in answers if isinstance(a, HolderFound)]
    basis = {"last_number": number}
    if len(found) == 1:
        return Result("found", basis | _holder_slots(room, found[0]))
    if found:
        return Result("several", basis | city_slots(room.catalogue, (a.biller for a in found), room.locale))
    troubles = [a.reason for a in answers if isinstance(a, Trouble) and a.reason != "account_not_found"]
    return Result("trouble", basis | {"trouble": troubles[0]}) if troubles else Result("not_found", basis)


def _holder_slots(room: Outside, found: HolderFound) -> dict[str, Any]:
    biller = room.catalogue.biller(found.biller)
    return {
        "biller": found.biller,
        "biller_name": biller.name[room.locale],
        "bill_name": bill_name(room.catalogue, found.utility, room.locale),
        "holder": found.holder_masked,
        "tail": found.number[-4:],
    }


def city_slots(
    catalogue: Catalogue, billers: Iterable[BillerId], locale: str, page: int = 0
) -> dict[str, Any]:
    """The cities of these billers as words and keys to choose by."""
    cities = dict.fromkeys(catalogue.biller(b).city for b in billers)
    names = {city: catalogue.cities[city].name for city in cities}
    words, told = by_keys({c: [names[c][locale], names[c]["zh"]] for c in cities}, locale, page)
    return {"city_choices": words, "city_list": told}


@inside(
    "action_name_refused", "again enough", reads="name_misses biller account", writes="name_misses reason"
)
def name_refused(room: Inside, slots: Arguments) -> Result:
    """The masked name is not the one he means: a wrong digit was caught before any amount was shown."""
    journal.record(
        room.tx,
        kind="name_check_failed",
        person=room.person,
        actor=room.person,
        subject=str(slots.get("biller") or ""),
        at=room.now,
    )
    times = int(slots.get("name_misses") or 0) + 1
    outcome = "again" if times < _NAMES_BEFORE_A_PERSON_HELPS else "enough"
    return Result(outcome, {"name_misses": times, "reason": "wrong_number"})


@inside(
    "action_name_confirmed",
    "known",
    reads="biller utility account holder",
    writes="account_id name_misses tail biller_name holder bill_name",
)
def name_confirmed(room: Inside, slots: Arguments) -> Result:
    """He said the name is right: this one bill is open to him in this talk (L6, settled 28)."""
    account_id = access.name_confirmed(
        room.tx,
        room.person,
        BillerId(slots["biller"]),
        Utility(slots["utility"]),
        slots["account"],
        slots["holder"],
        room.now,
    )
    return Result(
        "known",
        {
            "account_id": account_id,
            "name_misses": 0,
            "tail": str(slots["account"])[-4:],
            "holder": slots["holder"],
            "biller_name": room.catalogue.biller(slots["biller"]).name[room.locale],
            "bill_name": bill_name(room.catalogue, slots["utility"], room.locale),
        },
    )


@inside(
    "action_household_accounts", "some none", reads="utility relation", writes="account_list account_choices"
)
def household_accounts(room: Inside, slots: Arguments) -> Result:
    """What is already saved for this household, by tail; nobody need look for that again."""
    utility = Utility(slots["utility"]) if slots.get("utility") else None
    known = [
        k for k in accounts.known_accounts(room.tx, room.person, room.now, utility) if is_meant(k, slots)
    ]
    if not known:
        return Result("none")
    page = choices(known, room)
    return Result("some", {"account_choices": page.words, "account_list": page.told})


@inside(
    "action_cities",
    "one several",
    reads="utility city city_page",
    writes="city city_page city_choices city_list bill_name",
)
def cities(room: Inside, slots: Arguments) -> Result:
    """In which cities this bill is known; asked only when there are several."""
    billers = room.catalogue.billers(slots["utility"])
    named = {"bill_name": bill_name(room.catalogue, slots["utility"], room.locale)}
    served = {b.city for b in billers}
    if slots.get("city") in served or len(served) == 1:
        return Result("one", named | {"city": slots["city"] if slots.get("city") in served else served.pop()})
    page = int(slots.get("city_page") or 0) + (slots.get("city") == "more")
    offered = city_slots(room.catalogue, (b.id for b in billers), room.locale, page)
    return Result("several", named | offered | {"city": None, "city_page": page})


@inside(
    "action_describe_number",
    "lookup paper",
    reads="utility city",
    writes="biller biller_name number_name number_where number_length number_example",
)
def describe_number(room: Inside, slots: Arguments) -> Result:
    """What the number is called, how long it is, what it looks like and where it is printed: data of the biller."""
    biller = room.catalogue.billers(slots["utility"], slots["city"])[0]
    offered = biller.can_find_accounts and registered_phone(room.tx, room.person) is not None
    return Result("lookup" if offered else "paper", _form_slots(biller, room.locale))


def _form_slots(biller: Biller, locale: str) -> dict[str, Any]:
    form = biller.form
    same = form.min_digits == form.max_digits
    span = str(form.min_digits) if same else f"{form.min_digits}–{form.max_digits}"
    return {
        "biller": biller.id,
        "biller_name": biller.name[locale],
        "number_name": form.name[locale],
        "number_where": form.where[locale],
        "number_length": span,
        "number_example": " ".join(form.example[i : i + 4] for i in range(0, len(form.example), 4)),
    }


def registered_phone(tx: Tx, person: PersonId) -> str | None:
    """The verified telephone number of a person, for the biller's own look-up."""
    known = people.addresses_of(tx, person)
    return next((a.external_id for a in known if a.verified and a.channel in ("voice", "sms")), None)


@outside(
    "action_lookup_number",
    "found none trouble",
    reads="biller utility",
    writes="account tail trouble",
    reads_others=True,
)
async def lookup_number(room: Outside, slots: Arguments) -> Result:
    """Asks the biller for accounts under the person's own registered telephone number."""
    phone = await room.store.run(lambda tx: registered_phone(tx, room.person))
    if phone is None:
        return Result("none")
    answer = await room.quoting.find(room.person, BillerId(slots["biller"]), phone)
    if isinstance(answer, Trouble):
        return Result("trouble", {"trouble": answer.reason})
    if len(answer) != 1:
        return Result("none")
    return Result("found", {"account": answer[0].number, "tail": answer[0].number[-4:]})


@inside("action_note_digit_doubt", "noted", reads="")
def note_digit_doubt(room: Inside, slots: Arguments) -> Result:
    """One doubtful digit was asked for again and is settled now."""
    journal.record(
        room.tx,
        kind="digit_doubt_resolved",
        person=room.person,
        actor=room.person,
        subject="account_number",
        at=room.now,
    )
    return Result("noted")


ACTIONS = (
    choose_account,
    find_holder,
    name_refused,
    name_confirmed,
    household_accounts,
    cities,
    describe_number,
    lookup_number,
    note_digit_doubt,
)
