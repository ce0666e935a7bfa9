"""The people, purses and accounts of the money simulator, where every test of the till starts as well."""

from payments.simulation.household import (
    CHENGFS,
    CHENM,
    E_LI,
    E_ZHANG,
    LIJG,
    LIMIN,
    W_CHENG,
    W_LI,
    XIAOZHOU,
    ZHANGGF,
    House,
    catalogue,
    enrol,
    lend_purse,
    new_town,
)

__all__ = [
    "CHENGFS",
    "CHENM",
    "E_LI",
    "E_ZHANG",
    "LIJG",
    "LIMIN",
    "W_CHENG",
    "W_LI",
    "XIAOZHOU",
    "ZHANGGF",
    "House",
    "catalogue",
    "enrol",
    "lend_purse",
    "new_town",
]
