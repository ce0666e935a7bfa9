"""Laws L6 and L13: nobody reads an account without leave that is valid at that moment, and the book knows who did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.ids import AccountId, BillerId, InstrumentId, PersonId
from data.model import May, Utility
from data.money import Money
from data.store import journal
from data.store.audit import audit
from data.store.engine import Sealer, Store, Tx
from data.town import World, load_world
from payments.authority import access, accounts, people
from payments.authority.enrol import enrol_world

AT = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMIN, LIJG, WANGXY, CHENM = map(PersonId, ("limin", "lijg", "wangxy", "chenm"))
CHENGFS, XIAOZHOU, ZHANGGF = map(PersonId, ("chengfs", "xiaozhou", "zhanggf"))
E_LI, G_LI, W_CHENG = map(AccountId, ("E-LI", "G-LI", "W-CHENG"))


def why(
    town: Store, person: PersonId, account: AccountId, verb: May = May.BILLS, at: datetime = AT
) -> str | None:
    allowed = town.run_now(lambda tx: access.may(tx, person, verb, account, at))
    return allowed.reason if allowed else None


def opened(
    town: Store, person: PersonId, account: AccountId, verb: May = May.BILLS, at: datetime = AT
) -> str | None:
    account_seen = town.run_now(lambda tx: access.open_account(tx, person, verb, account, at))
    return account_seen.number if account_seen else None


def read_lines(town: Store) -> list[tuple[str, str, str, str]]:
    def lines(tx: Tx) -> list[tuple[str, str, str, str]]:
        kinds = ("data_read", "access_refused")
        query = sa.select(audit).where(audit.c.kind.in_(kinds)).order_by(audit.c.seq)
        return [(row.kind, row.actor, row.person, row.subject) for row in tx.conn.execute(query)]

    return town.run_now(lines)


def give(town: Store, giver: PersonId, taker: PersonId, *verbs: May, expires: datetime | None = None) -> None:
    town.run_now(lambda tx: access.grant(tx, giver, taker, verbs, AT, expires=expires))


def choices(
    town: Store, person: PersonId, at: datetime = AT, utility: Utility | None = None
) -> dict[str, str]:
    known = town.run_now(lambda tx: accounts.known_accounts(tx, person, at, utility))
    return {k.account.id: k.relation for k in known}


# --- who may ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "account", "reason"),
    [
        (LIJG, E_LI, "own"),
        (LIMIN, E_LI, "grant"),
        (LIMIN, G_LI, "saved"),
        (WANGXY, E_LI, "shared_phone"),
        (XIAOZHOU, W_CHENG, "grant"),
        (CHENM, E_LI, None),
        (ZHANGGF, W_CHENG, None),
        (LIMIN, W_CHENG, None),
        (PersonId("nobody"), E_LI, None),
        (PersonId("zhao"), E_LI, None),
        (LIMIN, AccountId("unknown"), None),
    ],
)
def test_who_may_see_whose_bills(
    town: Store, person: PersonId, account: AccountId, reason: str | None
) -> None:
    assert why(town, person, account) == reason
    assert (opened(town, person, account) is not None) is (reason is not None)


@pytest.mark.parametrize(
    ("person", "account", "verb", "allowed"),
    [
        (LIMIN, E_LI, May.PAY, True),
        (LIMIN, E_LI, May.MANDATE, True),
        (LIMIN, E_LI, May.USAGE, False),  # expressly not given
        (LIMIN, G_LI, May.MANDATE, False),  # saved only
        (XIAOZHOU, W_CHENG, May.START_PAYMENT, True),
        (XIAOZHOU, W_CHENG, May.CONFIRM_PAYMENT, False),
        (XIAOZHOU, W_CHENG, May.PAY, False),
        (WANGXY, E_LI, May.USAGE, False),  # a shared telephone tells bills, not habits
        (LIJG, E_LI, May.USAGE, True),
    ],
)
def test_one_leave_is_not_another(
    town: Store, person: PersonId, account: AccountId, verb: May, allowed: bool
) -> None:
    assert (why(town, person, account, verb) is not None) is allowed


def test_a_revoked_grant_ends_at_once_and_with_it_the_saved_accounts(town: Store) -> None:
    ended = town.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, AT))
    assert ended == 4
    assert [why(town, LIMIN, account) for account in (E_LI, G_LI)] == [None, None]
    assert opened(town, LIMIN, E_LI) is None
    assert choices(town, LIMIN) == {}


def test_taking_back_one_word_leaves_the_others(town: Store) -> None:
    town.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, AT, [May.MANDATE]))
    assert why(town, LIMIN, E_LI, May.MANDATE) is None
    assert why(town, LIMIN, E_LI, May.PAY) == "grant"


def test_a_grant_given_again_is_valid_again(town: Store) -> None:
    town.run_now(lambda tx: access.revoke(tx, LIJG, LIMIN, AT))
    give(town, LIJG, LIMIN, May.BILLS)
    assert why(town, LIMIN, E_LI) == "grant"
    assert why(town, LIMIN, E_LI, May.MANDATE) is None


def test_a_grant_ends_at_its_minute(town: Store) -> None:
    give(town, CHENGFS, CHENM, May.BILLS, expires=AT + HOUR)
    assert why(town, CHENM, W_CHENG, at=AT + HOUR - timedelta(microseconds=1)) == "grant"
    assert why(town, CHENM, W_CHENG, at=AT + HOUR) is None
    assert choices(town, CHENM, AT + HOUR) == {}


def test_a_grant_does_not_reach_back_before_it_was_given(town: Store) -> None:
    give(town, CHENGFS, CHENM, May.BILLS)
    assert why(town, CHENM, W_CHENG, at=AT - HOUR) is None


def test_a_grant_is_for_its_taker_and_not_for_those_he_grants_to(town: Store) -> None:
    give(town, LIMIN, CHENM, *May)
    assert why(town, CHENM, E_LI) is None


def test_nobody_grants_what_belongs_to_another(town: Store) -> None:
    give(town, CHENM, CHENM, *May)
    assert why(town, CHENM, W_CHENG) is None


def test_an_unproven_claim_to_the_telephone_opens_nothing(town: Store) -> None:
    town.run_now(lambda tx: people.add_address(tx, CHENM, "voice", "01055501111", AT, verified=False))
    assert why(town, CHENM, E_LI) is None
    town.run_now(lambda tx: people.add_address(tx, CHENM, "voice", "01055501111", AT, verified=True))
    assert why(town, CHENM, E_LI) == "shared_phone"


# --- a typed number ---------------------------------------------------------------------------------------------


def confirm(town: Store, person: PersonId = CHENM, at: datetime = AT) -> AccountId:
    biller = BillerId("gz-electricity")
    return town.run_now(
        lambda tx: access.name_confirmed(
            tx, person, biller, Utility.ELECTRICITY, "0319001200345678", "张*芳", at
        )
    )


def test_a_confirmed_name_opens_this_bill_to_this_person_for_this_talk(town: Store) -> None:
    account = confirm(town)
    assert (why(town, CHENM, account), opened(town, CHENM, account)) == ("talk", "0319001200345678")
    assert why(town, CHENM, account, May.PAY) == "talk"
    assert [why(town, CHENM, account, verb) for verb in (May.USAGE, May.MANDATE)] == [None, None]
    assert why(town, LIMIN, account) is None
    assert why(town, CHENM, account, at=AT + access.TALK_ACCESS) is None


def test_a_typed_number_does_not_join_the_list_and_is_confirmed_in_the_book(town: Store) -> None:
    confirm(town)
    assert choices(town, CHENM) == {}
    assert "name_check_passed" in town.run_now(journal.kinds)


def test_the_same_number_is_the_same_account_and_a_new_talk_opens_it_again(town: Store) -> None:
    first = confirm(town)
    later = AT + access.TALK_ACCESS + HOUR
    assert why(town, CHENM, first, at=later) is None
    assert confirm(town, at=later) == first
    assert why(town, CHENM, first, at=later) == "talk"


def test_an_account_saved_after_the_talk_is_remembered(town: Store) -> None:
    account = confirm(town)
    town.run_now(lambda tx: accounts.save_for(tx, CHENM, account, "妈妈家", AT))
    [known] = town.run_now(lambda tx: accounts.known_accounts(tx, CHENM, AT + timedelta(days=30)))
    assert (known.label, known.owner, known.owner_name_masked) == ("妈妈家", None, "张*芳")
    is_saved = partial(accounts.is_saved_for, person=CHENM, account_id=account)
    saved = [town.run_now(partial(is_saved, before=at)) for at in (AT, AT + HOUR)]
    assert saved == [False, True]


# --- the record -------------------------------------------------------------------------------------------------


def test_reading_anothers_account_is_written_down_and_ones_own_is_not(town: Store) -> None:
    opened(town, LIJG, E_LI)
    opened(town, LIMIN, E_LI)
    assert read_lines(town) == [("data_read", LIMIN, LIJG, E_LI)]


def test_a_refusal_is_written_down_and_tells_nothing_of_the_account(town: Store) -> None:
    assert opened(town, CHENM, E_LI) is None
    assert read_lines(town) == [("access_refused", CHENM, LIJG, E_LI)]
    lines = town.run_now(lambda tx: repr(tx.conn.execute(sa.select(audit)).all()))
    assert "1100223344" not in lines


def test_an_account_shows_its_number_in_no_repr(town: Store) -> None:
    assert "1100223344" not in repr(town.run_now(lambda tx: accounts.known_accounts(tx, LIMIN, AT)))


# --- the list one may choose from -------------------------------------------------------------------------------


def test_the_list_names_whose_account_it_is(town: Store) -> None:
    assert choices(town, LIMIN) == {"E-LI": "father", "W-LI": "father", "G-LI": "mother"}
    assert choices(town, WANGXY)["G-LI"] == "self"
    assert choices(town, CHENM) == choices(town, ZHANGGF) == {}
    assert choices(town, LIMIN, utility=Utility.GAS) == {"G-LI": "mother"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    leaves=st.lists(
        st.tuples(
            st.sampled_from([LIJG, CHENGFS, WANGXY, LIMIN]),
            st.sampled_from([LIMIN, CHENM, XIAOZHOU, CHENGFS]),
            st.sampled_from(list(May)),
            st.sampled_from(["give", "expired", "revoke"]),
        ),
        max_size=8,
    )
)
def test_the_list_and_the_gate_never_disagree(enrolled: Callable[[], Store], leaves: list[tuple]) -> None:  # type: ignore[type-arg]
    """After any giving and taking back: what is listed may be opened, and a stranger gets in by a valid grant only."""
    town = enrolled()
    valid: set[tuple[PersonId, PersonId, May]] = set()
    for giver, taker, verb, what in leaves:
        if what == "revoke":
            town.run_now(partial(access.revoke, giver=giver, taker=taker, at=AT, verbs=[verb]))
            valid.discard((giver, taker, verb))
        else:
            until = AT if what == "expired" else None
            town.run_now(partial(access.grant, giver=giver, taker=taker, verbs=[verb], at=AT, expires=until))
            valid |= {(giver, taker, verb)} if what == "give" else set()
    for person in (LIMIN, CHENM, XIAOZHOU, CHENGFS):
        for account in choices(town, person):
            assert why(town, person, AccountId(account)) in ("own", "grant", "saved", "shared_phone")
    for account, holder in ((E_LI, LIJG), (W_CHENG, CHENGFS)):
        for verb in May:
            may = why(town, CHENM, account, verb) is not None
            assert may is ((holder, CHENM, verb) in valid)
    town.close()


@pytest.fixture(scope="module")
def enrolled() -> Callable[[], Store]:
    """A fresh town in memory, as often as asked."""
    world: World = load_world()
    sealer = Sealer.from_secret("only for tests, never for people")
    first = Store.in_memory(sealer)
    first.run_now(lambda tx: enrol_world(tx, world, AT - timedelta(days=1)))
    image = first.image()
    first.close()
    return lambda: Store.in_memory(sealer, image)


# --- purses -----------------------------------------------------------------------------------------------------


def allow_spending(tx: Tx, instrument: str | None = "pm-limin", cap: int | None = 20000) -> None:
    access.grant(
        tx,
        LIMIN,
        LIJG,
        [May.CONFIRM_PAYMENT],
        AT,
        instrument=InstrumentId(instrument) if instrument else None,
        per_payment=None if cap is None else Money(cap),
        per_month=Money(40000),
    )


def purses(town: Store, person: PersonId = LIJG, at: datetime = AT) -> list[tuple[str, str, Money | None]]:
    found = town.run_now(lambda tx: access.spending_grants(tx, person, at))
    return [(s.payer, s.instrument, s.per_payment) for s in found]


def test_leave_to_spend_a_purse_with_its_caps(town: Store) -> None:
    assert purses(town) == []
    town.run_now(allow_spending)
    assert purses(town) == [(LIMIN, "pm-limin", Money(20000))]
    town.run_now(lambda tx: access.revoke(tx, LIMIN, LIJG, AT + HOUR))
    assert purses(town, at=AT + HOUR) == []


def test_a_cap_of_nothing_is_a_cap(town: Store) -> None:
    town.run_now(lambda tx: allow_spending(tx, cap=0))
    assert purses(town) == [(LIMIN, "pm-limin", Money(0))]


def test_nobody_lends_a_purse_that_is_not_his(town: Store) -> None:
    town.run_now(lambda tx: allow_spending(tx, instrument="pm-chenm"))
    assert purses(town) == []


def test_without_a_purse_named_it_is_the_givers_own_and_without_any_none(town: Store) -> None:
    town.run_now(lambda tx: allow_spending(tx, instrument=None))
    assert purses(town) == [(LIMIN, "pm-limin", Money(20000))]
    give(town, ZHANGGF, LIJG, May.CONFIRM_PAYMENT)
    assert [payer for payer, *_ in purses(town)] == [LIMIN]


def test_spending_a_purse_is_not_seeing_its_owners_bills(town: Store) -> None:
    give(town, CHENGFS, CHENM, May.CONFIRM_PAYMENT)
    assert purses(town, CHENM) == [(CHENGFS, "pm-cheng", None)]
    assert why(town, CHENM, W_CHENG) is None


def test_a_purse_shows_its_token_in_no_repr_and_lies_sealed(town: Store, world: World) -> None:
    token = world.instruments[InstrumentId("pm-limin")].instrument.token
    [purse] = town.run_now(lambda tx: access.instruments_of(tx, LIMIN))
    same = town.run_now(lambda tx: access.instrument(tx, purse.id))
    assert (purse.token, same) == (token, purse)
    assert token not in repr(purse)
    assert town.run_now(lambda tx: access.instrument(tx, InstrumentId("unknown"))) is None
