"""Sentences of whole talks, each in the state it is said in, and the commands it must become."""

from __future__ import annotations

import pytest

from nlu.commands import (
    Affirm,
    Bigger,
    Bye,
    CancelFlow,
    CannotHandle,
    Choose,
    Code,
    Command,
    CorrectSlot,
    Deny,
    Doubt,
    DoubtfulDigits,
    Expectation,
    Explain,
    Greet,
    Human,
    Refuse,
    Repeat,
    Resume,
    SetSlot,
    Skip,
    StartFlow,
    Stop,
    Utterance,
)
from nlu.understand import Understanding

OPEN = Expectation()
ACCOUNT = Expectation("account", "account", digits=(10, 16), in_flow="pay_bill")
HALF = Expectation(
    "account", "account", digits=(10, 16), in_flow="pay_bill", collected="03190012", voice=True
)
NAME = Expectation("name_check", in_flow="pay_bill")
CONFIRM = Expectation("confirm", in_flow="pay_bill", amounts=(12345,))
SPOKEN = Expectation("confirm", in_flow="pay_bill", voice=True)
AMOUNT = Expectation("amount", "amount", "amount", in_flow="pay_bill")
CODE = Expectation("code", digits=(4, 6), in_flow="pay_bill")
DOUBT = Expectation(
    "choice", "account", choices={"4": ("四", "4"), "10": ("十", "10")}, digits=(1, 2), in_flow="pay_bill"
)
AFTER = Expectation(
    "choice",
    choices={"retry": ("再试", "重试", "1"), "later": ("等一会儿", "晚点", "2"), "human": ("人工", "3")},
    in_flow="pay_bill",
)
OPEN_IN_FLOW = Expectation(in_flow="pay_bill")
RESUMED = Expectation("choice", "account", choices={"yes": ("1",), "no": ("2",)}, in_flow="pay_bill")
RESUMED_AT_AMOUNT = Expectation("choice", "amount", "money", choices={"yes": ("1",)}, in_flow="pay_bill")


def pay(utility: str = "electricity", **slots: object) -> StartFlow:
    return StartFlow("pay_bill", {"utility": utility, **slots})


def check(utility: str = "electricity", **slots: object) -> StartFlow:
    return StartFlow("check_balance", {"utility": utility, **slots})


TALKS: list[tuple[str, Expectation, list[Command]]] = [
    # paying for mother by number, two digits swapped
    ("帮我妈交电费,广州的", OPEN, [pay(relation="mother", city="guangzhou")]),
    ("0319001200354678", ACCOUNT, [SetSlot("account", "0319001200354678")]),
    ("不对,我妈姓张", NAME, [Deny()]),
    ("0319 0012 0034 5678", ACCOUNT, [SetSlot("account", "0319001200345678")]),
    ("对", NAME, [Affirm()]),
    ("付", CONFIRM, [Affirm()]),
    ("482913", CODE, [Code("482913")]),
    # the gateway gives no answer
    ("交我妈电费", OPEN, [pay(relation="mother")]),
    ("确认 482913", CONFIRM, [Affirm(), Code("482913")]),
    ("那我再付一次吧", OPEN, [StartFlow("pay_bill")]),
    ("我说再付一次!", OPEN_IN_FLOW, [StartFlow("pay_bill")]),
    # a first call
    ("我看看电还有多少", OPEN, [check()]),
    ("啊?没听清", OPEN, [Repeat(slower=True)]),
    ("哦行了谢谢", OPEN, [Bye()]),
    # by telephone with the daughter's purse
    ("给电表充一百块钱", OPEN, [pay(amount=10000)]),
    ("嗯……那个……", SPOKEN, [CannotHandle()]),
    # an account number read aloud
    ("我交电费", OPEN, [pay()]),
    ("洞三幺九洞洞幺二", ACCOUNT, [SetSlot("account", "03190012")]),
    ("零零三十五六七八", HALF, [DoubtfulDigits("account", "03190012003?5678", (Doubt(11, ("4", "10")),))]),
    ("四", DOUBT, [Choose("4")]),
    ("是十", DOUBT, [Choose("10")]),
    ("对的", NAME, [Affirm()]),
    ("今天不交,我就问问", CONFIRM, [CancelFlow()]),
    # the red button
    ("充一百电费", OPEN, [pay(amount=10000)]),
    ("哎哟不弄了不弄了,把我的退给我", SPOKEN, [Stop()]),
    # an overdue bill
    ("小帮啊,帮我把电费付掉", OPEN, [pay()]),
    ("为啥多两块四毛七", SPOKEN, [Explain("why")]),
    ("好付吧", SPOKEN, [Affirm("spoken")]),
    # corrections: kind, then amount
    ("交电费", OPEN, [pay()]),
    ("不对,是水费", CONFIRM, [CorrectSlot("utility", "water")]),
    ("先付二十", CONFIRM, [CorrectSlot("amount", 2000)]),
    ("不是二十,是三十", CONFIRM, [CorrectSlot("amount", 3000)]),
    ("算了全付", CONFIRM, [CorrectSlot("amount", "all")]),
    ("嗯 4829", CONFIRM, [Affirm(), Code("4829")]),
    # the neighbour's number
    ("交电费 3100456721", OPEN, [pay(account="3100456721")]),
    ("弄错了用我自己的", NAME, [CorrectSlot("account", "own")]),
    ("取消", CONFIRM, [CancelFlow()]),
    # a person takes over
    ("人工", OPEN, [Human()]),
    ("我要付电费", OPEN, [pay()]),
    # the other scripts' sentences
    (
        "把我爸妈家水电气都交了",
        OPEN,
        [StartFlow("pay_joint", {"joint_kinds": ["water", "electricity", "gas"], "relation": "parents"})],
    ),
    ("电费也充50", CONFIRM, [pay(amount=5000)]),
    ("查一下我爸妈家的电费", OPEN, [check(relation="parents")]),
    ("交电费,顺便看看水费", OPEN, [pay(), check("water")]),
    ("帮程福生交水费", OPEN, [pay("water", person_name="程福生")]),
    ("程福生电费多少", OPEN, [check(person_name="程福生")]),
    ("同意 4829", Expectation("consent", in_flow="pay_bill"), [Affirm(), Code("4829")]),
    ("煤气卡没气了帮我充", OPEN, [pay("gas")]),
    ("字太小看不见", OPEN, [Bigger()]),
    ("查电费", OPEN, [check()]),
    ("你好", OPEN, [Greet()]),
    ("哪能噶贵", AFTER, [Explain("why")]),
    ("侬好呀,阿拉屋里厢格电费单子寻勿着了,我儿子昨日还讲,侬帮我看看要几钿", OPEN, [check()]),
    ("我不知道户号", OPEN, [StartFlow("find_account")]),
    ("我不知道户号", ACCOUNT, [Explain("how")]),
    ("户号在哪", ACCOUNT, [Explain("how")]),
    ("朋友发的,代缴电费8折 http://dianfei8zhe.example/p?x=1 这个能交吗", OPEN, [Refuse("scam")]),
    ("那帮我按8折交", OPEN, [Refuse("scam")]),
    (
        "我爸妈家电表老没电,低于20块就自动充100,一个月最多300",
        OPEN,
        [
            StartFlow(
                "set_mandate",
                {
                    "utility": "electricity",
                    "relation": "parents",
                    "below": 2000,
                    "amount": 10000,
                    "per_month": 30000,
                },
            )
        ],
    ),
    (
        "把爸妈电费的自动缴费停了",
        OPEN,
        [StartFlow("stop_mandate", {"utility": "electricity", "relation": "parents"})],
    ),
    ("别自动充了", CONFIRM, [StartFlow("stop_mandate")]),
    ("为什么扣我100块", OPEN, [StartFlow("why_charged", {"amount": 10000})]),
    # what this house does not offer yet is said so, and is neither a payment nor a stop
    ("我要付现金,附近哪里能交", OPEN, [CannotHandle("not_offered")]),
    ("昨天那个水费给我开个收据,要盖章的", OPEN, [CannotHandle("not_offered")]),
    # every global word, in the middle of everything
    ("不弄了", ACCOUNT, [Stop()]),
    ("停停停", AMOUNT, [Stop()]),
    ("人工", CODE, [Human()]),
    ("转人工吧我弄不来", NAME, [Human()]),
    ("再说一遍", AMOUNT, [Repeat()]),
    ("说慢点", CODE, [Repeat(slower=True)]),
    ("大点声", ACCOUNT, [Repeat(louder=True)]),
    ("算了", AMOUNT, [CancelFlow()]),
    ("继续", OPEN_IN_FLOW, [Resume()]),
    ("跳过", AFTER, [Skip()]),
    # values, where they are asked for
    ("二十", AMOUNT, [SetSlot("amount", 2000)]),
    ("充个五十吧", AMOUNT, [SetSlot("amount", 5000)]),
    ("全付", AMOUNT, [SetSlot("amount", "all")]),
    ("一百来块", AMOUNT, [Refuse("approximate_amount")]),
    ("三零五", AMOUNT, [CannotHandle("amount_ambiguous")]),
    ("五十还是六十", AMOUNT, [CannotHandle("amount_several")]),
    ("交水费", AMOUNT, [pay("water")]),
    ("一二三四", CODE, [Code("1234")]),
    ("12", CODE, [CannotHandle("code_length")]),
    ("再试一次", AFTER, [Choose("retry")]),
    ("第二个", AFTER, [Choose("later")]),
    ("不再试了", AFTER, [CannotHandle()]),
    ("没了", HALF, [SetSlot("account", "03190012")]),
    ("不对", HALF, [CorrectSlot("account", None)]),
    ("不对,零三幺八", HALF, [SetSlot("account", "0318")]),
    ("0319 0012 0034 5678", HALF, [SetSlot("account", "0319001200345678")]),
    ("号码不对", CONFIRM, [CorrectSlot("account", None)]),
    ("不对,是我妈家的", CONFIRM, [CorrectSlot("relation", "mother")]),
    ("水费", OPEN, [check("water")]),
    ("水费", CONFIRM, [CorrectSlot("utility", "water")]),
    ("不用了谢谢", CONFIRM, [Deny()]),
    ("不行", CONFIRM, [Deny()]),
    # looked at, not paid; asked about the question itself
    ("电费已经交过了怎么还催", OPEN, [check()]),
    ("我没交过这个电费", OPEN, [check()]),
    ("谢谢你,再帮我查下水费", OPEN, [check("water")]),
    ("请问怎么交电费", OPEN, [StartFlow("capabilities")]),
    ("煤气泄漏了", OPEN, [Explain("danger")]),
    ("一百", OPEN, [CannotHandle()]),
    ("多少钱来着", CONFIRM, [Repeat()]),
    ("充多少合适", AMOUNT, [Explain("how")]),
    ("明天再付", CONFIRM, [CancelFlow()]),
    ("对,是我妈", NAME, [Affirm()]),
    ("是我妈", CONFIRM, [CannotHandle()]),
    ("五十度电", AMOUNT, [CannotHandle()]),
    # interrupted, and answered all the same
    ("0319001200345678", RESUMED, [SetSlot("account", "0319001200345678")]),
    ("户号是3100456712", RESUMED, [SetSlot("account", "3100456712")]),
    ("洞三幺九洞洞幺二洞洞三四五六七八", RESUMED, [SetSlot("account", "0319001200345678")]),
    ("一百块", RESUMED_AT_AMOUNT, [SetSlot("amount", 10000)]),
    ("50元", RESUMED_AT_AMOUNT, [SetSlot("amount", 5000)]),
    ("一百块", RESUMED, [CannotHandle()]),
    ("3100456712", AFTER, [CannotHandle()]),
    # never taken: cards, bank codes
    ("我的银行卡号是6222021234567890128", ACCOUNT, [Refuse("card_number")]),
    ("4111 1111 1111 1111", OPEN, [Refuse("card_number")]),
    ("银行发的验证码是 482913", CODE, [Refuse("bank_code")]),
    ("我的银行密码是482913", CONFIRM, [Refuse("bank_code")]),
    ("他让我转到安全账户", OPEN, [Refuse("scam")]),
]

ENGLISH: list[tuple[str, Expectation, list[Command]]] = [
    ("pay my mother's electricity in Guangzhou", OPEN, [pay(relation="mother", city="guangzhou")]),
    ("0319001200354678", ACCOUNT, [SetSlot("account", "0319001200354678")]),
    ("no, my mother is called Zhang", NAME, [Deny()]),
    ("yes", NAME, [Affirm()]),
    ("pay", CONFIRM, [Affirm()]),
    ("confirm 482913", CONFIRM, [Affirm(), Code("482913")]),
    ("then I'll pay again", OPEN, [StartFlow("pay_bill")]),
    ("how much electricity is left", OPEN, [check()]),
    ("what? I didn't catch that", OPEN, [Repeat(slower=True)]),
    ("ok thanks bye", OPEN, [Bye()]),
    ("put a hundred yuan on the electricity meter", OPEN, [pay(amount=10000)]),
    ("um... well...", SPOKEN, [CannotHandle()]),
    ("zero three one nine double oh one two", ACCOUNT, [SetSlot("account", "03190012")]),
    ("not today, I was just asking", CONFIRM, [CancelFlow()]),
    ("oh stop, stop it", SPOKEN, [Stop()]),
    ("why is it two forty-seven more", CONFIRM, [Explain("why")]),
    ("go ahead", SPOKEN, [Affirm("spoken")]),
    ("no, the water bill", CONFIRM, [CorrectSlot("utility", "water")]),
    ("pay twenty first", CONFIRM, [CorrectSlot("amount", 2000)]),
    ("not twenty but thirty", CONFIRM, [CorrectSlot("amount", 3000)]),
    ("actually pay it all", CONFIRM, [CorrectSlot("amount", "all")]),
    ("yes 4829", CONFIRM, [Affirm(), Code("4829")]),
    ("pay electricity 3100456721", OPEN, [pay(account="3100456721")]),
    ("wrong, use my own", NAME, [CorrectSlot("account", "own")]),
    ("cancel", CONFIRM, [CancelFlow()]),
    ("I want to talk to a person", ACCOUNT, [Human()]),
    ("pay electricity and also check the water", OPEN, [pay(), check("water")]),
    ("I don't know my account number", OPEN, [StartFlow("find_account")]),
    ("I don't know my account number", ACCOUNT, [Explain("how")]),
    ("the text is too small", OPEN, [Bigger()]),
    ("slow down please", CODE, [Repeat(slower=True)]),
    ("0319001200345678", RESUMED, [SetSlot("account", "0319001200345678")]),
    ("100 yuan", RESUMED_AT_AMOUNT, [SetSlot("amount", 10000)]),
    ("about fifty", AMOUNT, [Refuse("approximate_amount")]),
    ("fifty", AMOUNT, [SetSlot("amount", 5000)]),
    ("my bank password is 482913", CODE, [Refuse("bank_code")]),
    ("pay half price with this link www.cheap-power.example/x", OPEN, [Refuse("scam")]),
    ("set up automatic payment below 20 yuan", OPEN, [StartFlow("set_mandate", {"below": 2000})]),
    ("where can I pay cash", OPEN, [CannotHandle("not_offered")]),
]


@pytest.mark.parametrize(("said", "expectation", "commands"), TALKS)
def test_what_people_say(
    understanding: Understanding, said: str, expectation: Expectation, commands: list[Command]
) -> None:
    assert understanding.understand(Utterance(said), expectation) == commands


@pytest.mark.parametrize(("said", "expectation", "commands"), ENGLISH)
def test_what_people_say_in_english(
    understanding: Understanding, said: str, expectation: Expectation, commands: list[Command]
) -> None:
    in_english = Expectation(
        **{name: getattr(expectation, name) for name in expectation.__slots__} | {"locale": "en"}
    )
    assert understanding.understand(Utterance(said), in_english) == commands


@pytest.mark.parametrize(
    ("keys", "expectation", "command"),
    [
        ("0", OPEN, Human()), ("9", CONFIRM, Repeat(slower=True)), ("*", NAME, Stop()), ("1", CONFIRM, Affirm("key")),
        ("2", CONFIRM, Deny()), ("1", OPEN, CannotHandle("key")), ("1", AFTER, Choose("retry")), ("4", DOUBT, Choose("4")),
        ("0#", DOUBT, Human()), ("0#", ACCOUNT, Human()), ("*", ACCOUNT, Stop()), ("9", ACCOUNT, SetSlot("account", "9")),
        ("0", ACCOUNT, SetSlot("account", "0")), ("00345678#", HALF, SetSlot("account", "0319001200345678")),
        ("4829#", CODE, Code("4829")), ("00#", CODE, Code("00")), ("#", ACCOUNT, CannotHandle("no_digits")), ("4829", CONFIRM, Code("4829")),
    ],
)  # fmt: skip
def test_keys(understanding: Understanding, keys: str, expectation: Expectation, command: Command) -> None:
    assert understanding.understand(Utterance(keys=keys), expectation) == [command]


def test_a_known_number_may_be_named_by_its_tail(understanding: Understanding) -> None:
    asked = Expectation(
        "account", "account", digits=(10, 16), known_numbers=("3100456712", "3200456701"), in_flow="pay_bill"
    )
    assert understanding.understand(Utterance("尾号6712的那个"), asked) == [SetSlot("account", "3100456712")]
    assert understanding.understand(Utterance("尾号9999"), asked) == [CannotHandle("tail_unknown")]


def test_two_hearings_of_a_number_leave_their_difference_open(understanding: Understanding) -> None:
    heard = Utterance(
        "三一零零四五六七一二",
        nbest=("三一零零四五六七一二", "三一零零十五六七一二", "三一零零四五六拐幺九"),
        voice=True,
    )
    assert understanding.understand(heard, ACCOUNT) == [
        DoubtfulDigits("account", "310045671?", (Doubt(9, ("2", "9")),))
    ]


def test_a_recogniser_s_homophone_still_meets_the_choice(understanding: Understanding) -> None:
    asked = Expectation("choice", choices={"water": ("水费",), "gas": ("燃气费",)}, voice=True)
    assert understanding.understand(Utterance("睡费", voice=True), asked) == [Choose("water")]


def test_only_offered_flows_start(engine: object) -> None:
    later = Understanding(engine, flows={"pay_bill", "stop_mandate"})  # type: ignore[arg-type]
    stop = StartFlow("stop_mandate", {"utility": "electricity", "relation": "parents"})
    assert later.understand(Utterance("把爸妈电费的自动缴费停了"), OPEN) == [stop]
    assert later.understand(Utterance("查电费"), OPEN) == [CannotHandle("not_offered")]
