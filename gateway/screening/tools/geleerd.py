#!/usr/bin/env python3
"""Writes policies/lexicon/geleerd.tsv: how much each word, and each beginning of a word, weighs for or against a sentence
telling something medical. Standard library only; the same data give the same file.

A linear support vector machine (dual coordinate descent) over the labelled sentences of tests/data/screening, except the
fresh sets that it is measured on. So that general prose weighs nothing, ok sentences are also joined, and sentences
are made of the Dutch word list by chance (seeded). A sentence with a term of the lists is learnt from as well.

    gateway/screening/tools/geleerd.py            (from the root of the repository; three seconds)
"""
import glob
import math
import random
import re
import unicodedata

SETS = "tests/data/screening/*.tsv"
FRESH = ("fresh2.tsv",)
TARGET = "policies/lexicon/geleerd.tsv"
CLASS = "medisch.klacht"
BEGINNING = 4
FEWEST = 8  # a shorter sentence counts as one of so many words and beginnings
COST = 1.0
MADE_COST = 0.5
JOINED, MADE = 1500, 6000
# how far beyond the plane between the two kinds a sentence must be, found by leaving out whole sets (GUIDELINE.md)
MARGIN = 0.58
STEPS = 32  # a weight of 1.0 is written as 32
SEEN_AT_LEAST = 3


def fold(text):
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in plain if not unicodedata.combining(char))


def features(text):
    """Each word of two letters or more, and its beginning, as often as it stands there."""
    text = re.sub(r"(?<![a-z])([a-z](\.[a-z])+)(?![a-z])", lambda dotted: dotted[0].replace(".", ""), fold(text))
    words = re.findall(r"(?<![a-z0-9])[a-z]{2,}(?![a-z0-9])", text)
    return words + [word[:BEGINNING] + "-" for word in words if len(word) >= BEGINNING]


def labelled(pattern=SETS, without=FRESH):
    """(label, sentence) of every set."""
    for file in sorted(glob.glob(pattern)):
        if file.endswith(without):
            continue
        with open(file, encoding="utf-8") as lines:
            for line in list(lines)[1:]:
                columns = line.rstrip("\n").split("\t")
                if len(columns) == 4 and columns[0] in ("leak", "ok", "situational"):
                    yield columns[0], columns[3].replace("\\n", "\n")


def dutch_words():
    word = ""
    with open("policies/lexicon/nederlands.txt", encoding="utf-8") as lines:
        for line in lines:
            shared = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(line[0])
            word = word[:shared] + line[1:].rstrip("\n")
            yield word


def terms():
    for file in glob.glob("policies/lexicon/termen-*.tsv"):
        with open(file, encoding="utf-8") as lines:
            yield from (fold(line.split("\t")[0]) for line in lines)


def made_up(ok, chance):
    """Sentences that tell nothing: ok sentences joined, and words by chance among the most usual ones."""
    for _ in range(JOINED):
        yield " ".join(chance.choice(ok) for _ in range(chance.randint(2, 3)))
    known = set(terms())
    rare = [word for word in dutch_words() if len(word) > 2 and word not in known]
    counts = {}
    for word in (word for text in ok for word in re.findall("[a-z]+", fold(text))):
        counts[word] = counts.get(word, 0) + 1
    usual = sorted(counts, key=lambda word: (-counts[word], word))[:150]
    often = [counts[word] for word in usual]
    for _ in range(MADE):
        length = chance.randint(5, 35)
        common = chance.choices(usual, often, k=length)
        yield " ".join(word if chance.random() < 0.5 else chance.choice(rare) for word in common)


def examples(sentences):
    """(features, whether it tells something medical, cost): what is learnt from."""
    sentences = list(sentences)
    chance = random.Random(1)
    rows = [(features(text), label == "leak", COST) for label, text in sentences]
    rows += [(features(text), False, MADE_COST)
             for text in made_up([text for label, text in sentences if label == "ok"], chance)]
    chance.shuffle(rows)
    return [row for row in rows if row[0]]


def learn(rows, passes=12):
    """The weights and the bias. Each sentence counts as its features divided by the root of their number."""
    numbers, counts, vectors = {}, [0], []
    for found, tells, cost in rows:
        tally = {}
        for feature in found:
            number = numbers.setdefault(feature, len(counts))
            if number == len(counts):
                counts.append(0)
            tally[number] = tally.get(number, 0) + 1
        for number in tally:
            counts[number] += 1
        length = math.sqrt(max(len(found), FEWEST))
        vector = [(0, 1.0)] + [(number, times / length) for number, times in tally.items()]
        norm = sum(value * value for _, value in vector)
        vectors.append((vector, 1.0 if tells else -1.0, 1 / (2 * cost), norm + 1 / (2 * cost)))
    weights, alphas = [0.0] * len(counts), [0.0] * len(vectors)
    order, chance = list(range(len(vectors))), random.Random(2)
    for _ in range(passes):
        chance.shuffle(order)
        for index in order:
            vector, sign, slack, norm = vectors[index]
            gradient = sign * sum(weights[number] * value for number, value in vector) - 1 + alphas[index] * slack
            new = max(alphas[index] - gradient / norm, 0.0)
            step = (new - alphas[index]) * sign
            if step:
                alphas[index] = new
                for number, value in vector:
                    weights[number] += step * value
    return {feature: weights[number] for feature, number in numbers.items() if counts[number] >= SEEN_AT_LEAST}, weights[0]


def rounded(weights, bias, margin=MARGIN):
    """Weights as whole numbers, without those of nought, and what they must sum to for each root of their number."""
    steps = {feature: max(-127, min(127, round(weight * STEPS))) for feature, weight in weights.items()}
    return {feature: step for feature, step in steps.items() if step}, round((margin - bias) * STEPS)


def main():
    weights, threshold = rounded(*learn(examples(labelled())))
    by_weight = {}
    for feature, weight in weights.items():
        by_weight.setdefault(weight, []).append(feature)
    with open(TARGET, "w", encoding="utf-8") as out:
        out.write("# Learnt, not written: see gateway/screening/tools/geleerd.py. Leave the file out to screen by rules alone.\n")
        out.write(f"drempel\t{threshold}\t{CLASS}\n")
        for weight in sorted(by_weight, reverse=True):
            out.write(f"{weight}\t{' '.join(sorted(by_weight[weight]))}\n")


if __name__ == "__main__":
    main()
