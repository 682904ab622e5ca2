"""What a reply by SMS means. In doubt it means nothing, and the sender is asked."""

import pytest

from telealarm import i18n
from telealarm.rules import replies

EVERY_LANGUAGE = [*i18n.LANGUAGES, None]

NO_ANSWER = """
2 of us will come | 2 minutes late | 2 pm? | 1 pm? | 1st floor? | 1st | 3 kids | 1 pm | 1pm | 10
12 | 2 o'clock | 1:30 | 1.30 | 1/2 | 1 hour late | 2 or 3 | 1 or 2? | 1 2 | 1 1 | 1, 2 | 1-2
1+1 | +1 | 1 more | 1? | 2 ? | ¿1? | 1 % | 1 € | $2 | 1° piso | 1º | 1er étage
2ª planta | ½ | 01 | 1a | a1 | 100 | 2 personas | 1 minuto | 2 minutos tarde
1 Minute später | 2 Personen | 3 enfants | 2 minuti | 1.5 | 3 filhos | 2 persones | 1 h | 1 d
1 de | 2 de nosotros | 1 o 2 | not 1 | no 1 | No. 1 | nº 1 | 2 yes | nicht 1 | pas 1 | non 1
não 1 | 1 no | 1 cancel | 1 not | don't 1 | 1 2 3 | 1 but later | 2 sí | 3 no
1 pero más tarde | 1 call me | 1 John | 1 👎 | 2 🤔 | 🙂 | 👍 | no puedo
sí pero más tarde | oui mais | yes but later | ok but can my wife come | ja aber später
sì ma più tardi | sim mas mais tarde | sí però més tard | yes unless it rains | not yes
yes? | cancel? | no option | option | please | thanks | no reply | no answer | no problem
no sé | quizás | maybe | why? | ich kann nicht | non podo | je ne peux pas | non posso
não posso | puedo a las 2 | I can at 1 | confirm you are open | info 1 | change of address
Liked “Visit: reply 1 to confirm” | I'll stop by at 5 | stop by at 5 | y gracias
please stop by | don't stop | end of the month | I need help to get there | can you help
o 1 o 2 | start at 5? | when does it start | quit smoking | estoy de baja
j'arrête à 5 heures | basta così
"""
CONFIRMS = """
1 | 1. | 1! | (1) | [1] | "1" | «1» | “1” | 1) | #1 | *1* | 1 thanks | 1, thank you!
Option 1 | opción 1 | 1 gracias | 1 👍🏽 | 1 ❤️ | 1 ✅ | 1 - confirm | 1 = Yes | 1 sí
1 ok | 1 oui merci | 1 danke | reply 1 | Número 1, por favor | I choose 1 | Hola, 1 | ok 👍
Yes please | sí, gracias | Ja, gerne | d'accord | sim obrigada | YES, see you then
Sí, si us plau | certo, grazie | ok ok | ①
"""
CANCELS = """
2 | 2 cancel | 2 no | 2, sorry | 2 - anular | 2 annuler svp | no gracias | No, thanks
nein danke | cancel please | Cancel my appointment | I want to cancel | cancel my appt
cancel·lar | CANCEL
"""
RESCHEDULES = "3 | 3. | 3 reschedule | 3 cambiar, gracias | later please"
STOPS = """
STOP | Stop. | stop!! | "STOP" | 'stop' | S.T.O.P. | S T O P | STOP 👎 | OPT OUT | opt-out
opt_out | OptOut | OPT—OUT | REVOKE | revoke. | UNSUBSCRIBE | STOPALL | STOP ALL | stop-all
QUIT | END | End. | ARRET | arrêt | BAJA | alto | abmelden | basta | sair | baixa | please stop
Stop please | por favor, baja | Stop texting me | stop sending me this!!! | stop? | STOP NOW
Hi, please stop. | unsubscribe me | UNSUB | please opt me out | Don't text me | no more messages
remove me | cancel messages | no quiero más mensajes | keine SMS mehr | 2 stop | STOP 2 pm
"""
STARTS = "START | Start! | UNSTOP | opt-in | start please | ALTA"
HELPS = """
HELP | help! | INFO | Help? | AYUDA | Hilfe | AIDE | aiuto | ajuda | axuda | please help
help me please
"""


def texts(table: str) -> list[str]:
    return [text.strip() for text in table.replace("\n", "|").split("|") if text.strip()]


@pytest.mark.parametrize("text", [*texts(NO_ANSWER), "", " ", "\n"])
def test_what_says_more_or_something_else_is_no_answer(text: str) -> None:
    meanings = {language: replies.meaning(text, language) for language in EVERY_LANGUAGE}
    assert meanings == dict.fromkeys(EVERY_LANGUAGE)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        *((text, "1") for text in texts(CONFIRMS)),
        # A keycap, digits of other widths and scripts, curly quotes.
        *((text, "1") for text in ("1\ufe0f\u20e3", "\uff11", "\u0661", "\u20181\u2019", " 1\n")),
        *((text, "2") for text in texts(CANCELS)),
        *((text, "3") for text in texts(RESCHEDULES)),
        *((text, "stop") for text in texts(STOPS)),
        *((text, "stop") for text in ("\uff33\uff34\uff2f\uff30", "Don\u2019t text me")),
        *((text, "start") for text in texts(STARTS)),
        *((text, "help") for text in texts(HELPS)),
    ],
)
def test_a_clear_reply_is_understood_in_every_language(text: str, meaning: str) -> None:
    meanings = {language: replies.meaning(text, language) for language in EVERY_LANGUAGE}
    assert meanings == dict.fromkeys(EVERY_LANGUAGE, meaning)


def test_cancel_alone_is_told_from_a_cancelled_appointment() -> None:
    for text in ("CANCEL", "cancel!", "please cancel", "Cancel, thanks"):
        assert replies.is_bare_cancel(text, "en")
    for text in ("2", "2 cancel", "no, cancel", "cancel my appointment", "no", "please", ""):
        assert not replies.is_bare_cancel(text, "en")
