"""The forms of words in scripts with spaces, as in src/lexical/analysis. words.py measures the gain of each."""

import collections
import re
import unicodedata

# A form of a word, its position among the words, and whether it is a neighbour of others in phrases.
Form = collections.namedtuple("Form", "term position neighbour")

RUN = re.compile(r"[^\W_]+")
COMPOUND = re.compile(r"[^\W_]+(?:(?:[-\u2010-\u2013\u2212_.&@'\u2019]|::)[^\W_]+)*")
NUMBERED = re.compile(r"[^\W\d_]{2,}\d{2,}")
CONTRACTIONS = ("t", "m", "d", "re", "ve", "ll")


def folded(text):
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def runs(text):
    """Returns runs of letters and digits: the analysis of version 1."""
    return [Form(run.lower(), position, True) for position, run in enumerate(RUN.findall(folded(text)))]


def forms(text, in_query, without=()):
    """Returns the forms of each word. `without` may contain joined, signs, case, digits, contractions."""
    text, out, position = folded(text), [], 0
    for found in COMPOUND.finditer(text):
        compound = found.group()
        segments = [run.span() for run in RUN.finditer(compound)]
        last = compound[segments[-1][0] :].lower()
        apostrophe = len(segments) > 1 and compound[segments[-2][1]] in "'\u2019"
        whole = segments[:-1] if apostrophe and last == "s" else segments
        suffix = sign_behind(text, found.end()) if len(whole) == len(segments) and "signs" not in without else ""
        joined = join(compound, whole) + suffix
        parts = [(compound[start:end], *pieces(compound[start:end])) for start, end in segments]
        contraction = apostrophe and last in CONTRACTIONS
        if in_query and contraction and "contractions" not in without:
            out.append(Form(joined.lower(), position, True))
            position += sum(len(found) for _, found, _ in parts)
            continue
        prefix = sign_before(text, found.start()) if "signs" not in without else ""
        if prefix:
            out.append(Form((prefix + joined).lower(), position, False))
        alone = in_query and apostrophe and "contractions" not in without
        if len(whole) > 1 and "joined" not in without and not alone:
            out.append(Form(joined.lower(), position, False))
        for number, (run, found_pieces, by_case) in enumerate(parts):
            bare = True
            if suffix and number + 1 == len(parts):
                bare = not in_query or len(run) > 2
                out.append(Form((run + suffix).lower(), position, not bare))
            divided = len(found_pieces) > 1 and (not in_query or by_case or NUMBERED.fullmatch(run))
            divided = divided and ("case" if by_case else "digits") not in without
            if bare:
                out.append(Form(run.lower(), position, not (in_query and divided and by_case)))
            for piece in found_pieces:
                if divided:
                    out.append(Form(piece.lower(), position, in_query and by_case))
                position += 1
    return out


def join(compound, segments):
    out = ""
    for number, (start, end) in enumerate(segments):
        if number:
            before = segments[number - 1][1]
            if compound[before:start] == "." and compound[before - 1].isnumeric() and compound[start].isnumeric():
                out += "."
        out += compound[start:end]
    return out


def sign_behind(text, end):
    signs = re.match(r"[+#]{1,3}(?![+#])", text[end : end + 4])
    if not signs or not text[end - 1].isalpha():
        return ""
    following = text[end + len(signs.group()) :][:1]
    is_word = RUN.match(following)
    return signs.group() if not is_word or signs.group() == "++" and following.isdigit() else ""


def sign_before(text, start):
    letter, short = text[start].isalpha(), len(RUN.match(text, start).group()) <= 3
    signs = (r"(--|[.@$-])$" if short else r"(--|[.@$])$") if letter else "#$"
    sign = re.search(signs, text[max(start - 2, 0) : start]) or re.search("#$", text[max(start - 1, 0) : start])
    if not sign:
        return ""
    sign = sign.group()
    before = text[: start - len(sign)][-1:]
    if sign[0] == "-":
        return sign if not before or before.isspace() or before in "`\"'([{|=,/" else ""
    return "" if before and (RUN.match(before) or before in sign) else sign


def pieces(run):
    """Splits a run at capitals and digits, and tells whether capitals split it."""
    kinds = ["U" if c.isupper() else "D" if c.isnumeric() else "L" for c in run]
    cuts, by_case = [0], False
    for here in range(1, len(run)):
        before, kind = kinds[here - 1 : here + 1]
        case = (before, kind) == ("L", "U") or (before, kind) == ("U", "U") and kinds[here + 1 : here + 3] == ["L", "L"]
        if case or (before == "D") != (kind == "D"):
            cuts.append(here)
            by_case |= case
    found = [run[start:end] for start, end in zip(cuts, cuts[1:] + [len(run)])]
    one_letter = len(found) == 2 and any(len(piece) == 1 and piece.isalpha() for piece in found)
    return ([run], False) if len(found) > (16 if by_case else 4) or one_letter else (found, by_case)
