"""What people write back, and what they are told, by language.

A new language is one more entry. Words are compared without case, accents and punctuation.
"""

import unicodedata
from dataclasses import dataclass

STOP = "stop"

# In a sentence these may say something else ("no problem", "end of the month?"), as a letter alone
# does ("j'ai", "o sea").
_ONLY_ALONE = {
    *("no", "non", "nein", "nao", "later", "change", "changer", "cambio", "move", "end", "quit"),
    *("alto", "baja", "parar", "sair", "basta", "arret"),
}


@dataclass(frozen=True)
class Language:
    """Words that mean the keys 1, 2 and 3, or STOP; and the texts of ours, with placeholders."""

    words: dict[str, tuple[str, ...]]
    texts: dict[str, str]


LANGUAGES: dict[str, Language] = {
    "en": Language(
        {
            "1": ("yes", "y", "ok", "okay", "confirm", "confirmed", "yep", "sure"),
            "2": ("cancel", "no", "n", "cancelled", "canceled"),
            "3": ("reschedule", "change", "move", "later"),
            STOP: ("stop", "stopall", "unsubscribe", "optout", "quit", "end"),
        },
        {
            "1": "Thank you. Confirmed: {title}, {start_date} {start_time}.",
            "2": "Cancelled: {title}, {start_date} {start_time}.",
            "3": "We will find another time for {title}, {start_date} {start_time}.",
            "stop": "You will get no more messages from us.",
            "unclear": "Please reply 1 to confirm, 2 to cancel or 3 for another time.",
            "late": "{title}, {start_date} {start_time}: this can no longer be answered by SMS."
            " Please contact us.",
            "answered_before": "We already have your answer for {title}, {start_date} {start_time}."
            " To change it, please contact us.",
            "confirm": "Confirm",
            "cancel": "Cancel",
            "unsubscribe": "No more messages",
            "moved": "Moved: {title}, {start_date} {start_time}",
            "called_off": "Cancelled: {title}, {start_date} {start_time}",
            # The pages behind links.
            "cancel_button": "Cancel the appointment",
            "confirmed": "It is confirmed.",
            "cancelled": "It is cancelled.",
            "answered": "It was answered.",
            "closed": "This cannot be answered any more.",
            "expired": "This link does not work any more.",
            "no_link": "This link is not complete. Please open it anew.",
            "stop_asked": "No more messages to {recipient}?",
            "stopped": "No more messages to {recipient}.",
        },
    ),
    "es": Language(
        {
            "1": ("si", "s", "vale", "confirmo", "confirmar", "confirmado", "de acuerdo"),
            "2": ("cancelar", "cancelo", "anular", "anulo", "no"),
            "3": ("cambiar", "cambio", "aplazar", "otro dia"),
            STOP: ("baja", "alto", "parar"),
        },
        {
            "1": "Gracias. Confirmado: {title}, {start_date} {start_time}.",
            "2": "Cancelado: {title}, {start_date} {start_time}.",
            "3": "Buscaremos otra hora para {title}, {start_date} {start_time}.",
            "stop": "No recibirá más mensajes nuestros.",
            "unclear": "Responda 1 para confirmar, 2 para cancelar o 3 para cambiar la hora.",
            "late": "{title}, {start_date} {start_time}: ya no se puede responder por SMS. Póngase"
            " en contacto con nosotros.",
            "answered_before": "Ya tenemos su respuesta para {title}, {start_date} {start_time}."
            " Para cambiarla, póngase en contacto con nosotros.",
            "confirm": "Confirmar",
            "cancel": "Cancelar",
            "unsubscribe": "No recibir más mensajes",
            "moved": "Cambio de hora: {title}, {start_date} {start_time}",
            "called_off": "Cancelado: {title}, {start_date} {start_time}",
            "cancel_button": "Cancelar la cita",
            "confirmed": "Está confirmado.",
            "cancelled": "Está cancelado.",
            "answered": "Ya se ha respondido.",
            "closed": "Ya no se puede responder.",
            "expired": "Este enlace ya no funciona.",
            "no_link": "Este enlace no está completo. Ábralo de nuevo.",
            "stop_asked": "¿No enviar más mensajes a {recipient}?",
            "stopped": "No enviaremos más mensajes a {recipient}.",
        },
    ),
    "fr": Language(
        {
            "1": ("oui", "o", "d accord", "confirmer", "je confirme", "confirme"),
            "2": ("annuler", "j annule", "annule", "non"),
            "3": ("reporter", "changer", "deplacer"),
            STOP: ("arret", "desabonner"),
        },
        {
            "1": "Merci. Confirmé : {title}, {start_date} {start_time}.",
            "2": "Annulé : {title}, {start_date} {start_time}.",
            "3": "Nous chercherons une autre heure pour {title}, {start_date} {start_time}.",
            "stop": "Vous ne recevrez plus de messages de notre part.",
            "unclear": "Répondez 1 pour confirmer, 2 pour annuler ou 3 pour changer l'heure.",
            "late": "{title}, {start_date} {start_time} : il n'est plus possible de répondre par"
            " SMS. Veuillez nous contacter.",
            "answered_before": "Nous avons déjà votre réponse pour {title}, {start_date}"
            " {start_time}. Pour la modifier, veuillez nous contacter.",
            "confirm": "Confirmer",
            "cancel": "Annuler",
            "unsubscribe": "Ne plus recevoir de messages",
            "moved": "Déplacé : {title}, {start_date} {start_time}",
            "called_off": "Annulé : {title}, {start_date} {start_time}",
            "cancel_button": "Annuler le rendez-vous",
            "confirmed": "C'est confirmé.",
            "cancelled": "C'est annulé.",
            "answered": "Une réponse a déjà été donnée.",
            "closed": "Il n'est plus possible de répondre.",
            "expired": "Ce lien ne fonctionne plus.",
            "no_link": "Ce lien est incomplet. Veuillez l'ouvrir de nouveau.",
            "stop_asked": "Ne plus envoyer de messages à {recipient} ?",
            "stopped": "Plus de messages à {recipient}.",
        },
    ),
    "de": Language(
        {
            "1": ("ja", "j", "bestatigen", "bestatigt", "bestaetigen", "bestaetigt"),
            "2": ("absagen", "abgesagt", "stornieren", "nein"),
            "3": ("verschieben", "andern", "aendern", "spater", "spaeter"),
            STOP: ("stopp", "abmelden"),
        },
        {
            "1": "Danke. Bestätigt: {title}, {start_date} {start_time}.",
            "2": "Abgesagt: {title}, {start_date} {start_time}.",
            "3": "Wir suchen einen anderen Termin für {title}, {start_date} {start_time}.",
            "stop": "Sie erhalten keine Nachrichten mehr von uns.",
            "unclear": "Bitte antworten Sie 1 (bestätigen), 2 (absagen) oder 3 (verschieben).",
            "late": "{title}, {start_date} {start_time}: Eine Antwort per SMS ist nicht mehr"
            " möglich. Bitte melden Sie sich bei uns.",
            "answered_before": "Ihre Antwort zu {title}, {start_date} {start_time} liegt uns schon"
            " vor. Um sie zu ändern, melden Sie sich bitte bei uns.",
            "confirm": "Bestätigen",
            "cancel": "Absagen",
            "unsubscribe": "Keine Nachrichten mehr",
            "moved": "Verschoben: {title}, {start_date} {start_time}",
            "called_off": "Abgesagt: {title}, {start_date} {start_time}",
            "cancel_button": "Termin absagen",
            "confirmed": "Es ist bestätigt.",
            "cancelled": "Es ist abgesagt.",
            "answered": "Es wurde schon geantwortet.",
            "closed": "Eine Antwort ist nicht mehr möglich.",
            "expired": "Dieser Link funktioniert nicht mehr.",
            "no_link": "Dieser Link ist unvollständig. Bitte öffnen Sie ihn neu.",
            "stop_asked": "Keine Nachrichten mehr an {recipient}?",
            "stopped": "Es gehen keine Nachrichten mehr an {recipient}.",
        },
    ),
    "it": Language(
        {
            "1": ("si", "va bene", "confermo", "conferma", "confermare"),
            "2": ("annulla", "annullo", "cancella", "disdico", "no"),
            "3": ("spostare", "sposta", "cambiare"),
            STOP: ("disiscrivi", "basta"),
        },
        {
            "1": "Grazie. Confermato: {title}, {start_date} {start_time}.",
            "2": "Annullato: {title}, {start_date} {start_time}.",
            "3": "Cercheremo un altro orario per {title}, {start_date} {start_time}.",
            "stop": "Non riceverà più messaggi da noi.",
            "unclear": "Risponda 1 per confermare, 2 per annullare o 3 per cambiare orario.",
            "late": "{title}, {start_date} {start_time}: non è più possibile rispondere via SMS. La"
            " preghiamo di contattarci.",
            "answered_before": "Abbiamo già la Sua risposta per {title}, {start_date} {start_time}."
            " Per cambiarla, La preghiamo di contattarci.",
            "confirm": "Conferma",
            "cancel": "Annulla",
            "unsubscribe": "Non ricevere più messaggi",
            "moved": "Spostato: {title}, {start_date} {start_time}",
            "called_off": "Annullato: {title}, {start_date} {start_time}",
            "cancel_button": "Annulla l'appuntamento",
            "confirmed": "È confermato.",
            "cancelled": "È annullato.",
            "answered": "È già stata data una risposta.",
            "closed": "Non è più possibile rispondere.",
            "expired": "Questo link non funziona più.",
            "no_link": "Questo link non è completo. Lo apra di nuovo.",
            "stop_asked": "Nessun altro messaggio a {recipient}?",
            "stopped": "Nessun altro messaggio a {recipient}.",
        },
    ),
    "pt": Language(
        {
            "1": ("sim", "confirmo", "confirmar", "esta bem"),
            "2": ("cancelar", "cancelo", "anular", "nao"),
            "3": ("remarcar", "mudar", "adiar"),
            STOP: ("sair", "parar"),
        },
        {
            "1": "Obrigado. Confirmado: {title}, {start_date} {start_time}.",
            "2": "Cancelado: {title}, {start_date} {start_time}.",
            "3": "Vamos procurar outra hora para {title}, {start_date} {start_time}.",
            "stop": "Não receberá mais mensagens nossas.",
            "unclear": "Responda 1 para confirmar, 2 para cancelar ou 3 para mudar a hora.",
            "late": "{title}, {start_date} {start_time}: já não é possível responder por SMS. Por"
            " favor, contacte-nos.",
            "answered_before": "Já temos a sua resposta para {title}, {start_date} {start_time}."
            " Para a alterar, por favor contacte-nos.",
            "confirm": "Confirmar",
            "cancel": "Cancelar",
            "unsubscribe": "Não receber mais mensagens",
            "moved": "Nova hora: {title}, {start_date} {start_time}",
            "called_off": "Cancelado: {title}, {start_date} {start_time}",
            "cancel_button": "Cancelar a marcação",
            "confirmed": "Está confirmado.",
            "cancelled": "Está cancelado.",
            "answered": "Já foi respondido.",
            "closed": "Já não é possível responder.",
            "expired": "Esta ligação já não funciona.",
            "no_link": "Esta ligação não está completa. Abra-a de novo.",
            "stop_asked": "Não enviar mais mensagens para {recipient}?",
            "stopped": "Não enviaremos mais mensagens para {recipient}.",
        },
    ),
}


def of(language: str | None) -> Language:
    """The entry of `es` or `es-MX`; English where there is none."""
    return LANGUAGES[code(language)]


def code(language: str | None) -> str:
    """The language that `of` has for it, as HTML names it."""
    found = (language or "en").split("-")[0].lower()
    return found if found in LANGUAGES else "en"


def meaning(text: str, language: str | None) -> str | None:
    """What a reply means: "1", "2", "3", "stop", or None where that is not clear.

    The whole reply is a word of a meaning: of the recipient's language first, then of English, then
    of any other. Or it begins with a word of theirs or of English, says the same by a word that is
    clear within a sentence, and nothing else ("yes please", "no, cancel"). Where nobody knows their
    language, it may be any.
    """
    said = _plain(text)
    own = [of(language), LANGUAGES["en"]]
    everyone = [*own, *LANGUAGES.values()]
    for one in everyone:
        if said in (words := _meanings([one])):
            return words[said]
    words = _meanings(own if language else everyone)
    first = max((word for word in words if f"{said} ".startswith(f"{word} ")), key=len, default="")
    if not first:
        return None
    found = [first, *(word for word in said.split() if word in words)]
    meanings = {words[word] for word in found}
    return meanings.pop() if len(meanings) == 1 and any(map(_is_clear, found)) else None


def _is_clear(word: str) -> bool:
    return word.isdigit() or (len(word) > 1 and word not in _ONLY_ALONE)


def _meanings(languages: list[Language]) -> dict[str, str]:
    """What each word means; of several languages, by the first that has it."""
    found = {"1": "1", "2": "2", "3": "3"}
    for one in languages:
        for key, words in one.words.items():
            for word in words:
                found.setdefault(_plain(word), key)
    return found


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text[:500].casefold())
    bare = (one for one in letters if not unicodedata.combining(one))
    return " ".join("".join(one if one.isalnum() else " " for one in bare).split())
