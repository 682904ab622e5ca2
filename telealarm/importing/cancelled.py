"""Whether an event is cancelled, by its STATUS or by its title."""

import re
from unicodedata import normalize

# Outlook writes such a word and a colon before the title of a cancelled meeting, in the language of
# the organizer.
_WORDS = (
    "abgesagt|storniert|aflyst|afgelast|afgezegd|annul[ée]e?s?|annullat[oaie]|anulad[oa]|anulat[ăa]?"
    "|anul·la(?:t|da)|anulowan[eoya]|odwołan[eoya]|avlyst|cancel·la(?:t|da)|cancelad[oa]|cancell?ed"
    "|cancellat[oa]|geannuleerd|inställ[dt]|peru(?:ute)?ttu|zrušen[oéý]|lemondva|törölve|otkazano"
    "|odpovedano|preklicano|revocat|contramandat|отменен[оаы]?|отменён|скасован[оий]"
    "|iptal(?: edildi)?"
    "|ακυρώθηκε|ακυρωμένο|キャンセル(?:済み|されました)?|已取消|취소(?:됨)?|בוטל|ملغ[ىي]|تم الإلغاء"
)
_PREFIX = re.compile(rf"[\[(]?({_WORDS})[\])]?\s*[:\uff1a]", re.IGNORECASE)
_SOMEWHERE = re.compile(rf"(?<!\w)({_WORDS})(?!\w)", re.IGNORECASE)


def by_status(status: str) -> bool:
    """Return whether STATUS says so. Some programs write it with one L."""
    return status.strip().upper() in ("CANCELLED", "CANCELED")


def prefix(title: str) -> str | None:
    """Return the word before a colon that says that the event is cancelled: `Canceled: Dentist`."""
    match = _PREFIX.match(normalize("NFC", title).strip())
    return match[1] if match else None


def word(title: str) -> str | None:
    """Return a word anywhere in the title that may say so."""
    match = _SOMEWHERE.search(normalize("NFC", title))
    return match[1] if match else None
