#!/usr/bin/env python3
"""Writes policies/lexicon/nederlands.txt from Debian's wdutch (/usr/share/dict/dutch).

Each word is folded (lower case, no diacritics), split at what is no letter, sorted and front-coded:
one character for the number of letters shared with the word before (0-9, A-Z), then the rest.
"""
import re
import sys
import unicodedata

LONGEST_SHARED = 35


def fold(word):
    plain = unicodedata.normalize("NFKD", word.lower())
    return "".join(char for char in plain if not unicodedata.combining(char))


def main(source="/usr/share/dict/dutch", target="policies/lexicon/nederlands.txt"):
    words = set()
    with open(source, encoding="utf-8") as lines:
        for line in lines:
            words.update(re.findall("[a-z]+", fold(line)))
    previous = ""
    with open(target, "w", encoding="utf-8") as out:
        for word in sorted(words):
            shared = 0
            while shared < min(len(word), len(previous), LONGEST_SHARED) and word[shared] == previous[shared]:
                shared += 1
            out.write("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[shared] + word[shared:] + "\n")
            previous = word


if __name__ == "__main__":
    main(*sys.argv[1:])
