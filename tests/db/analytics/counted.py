"""The clinical figures as they are defined: in Python, from the rows of the views, one by one."""

from collections import Counter, defaultdict
from datetime import timedelta

from scipy import stats


LISTED = 15

SMALLEST = 11

DAY = timedelta(days=1)

FINAL = {"F", "C", "U", "V"}


class Rows:
    """The rows of a platform, and whose they are when all merges are followed."""

    def __init__(self, ask, server):
        """Read the views, without a condition."""
        people = ask(
            server, "select patient_id, merged_into, first_seen_at from hl7_contract.patients"
        )
        self.merged = {key: into for key, into, _ in people}
        self.first_seen = {key: seen for key, _, seen in people}
        coded = "select patient_id, code, coding_system, description"
        self.codes = {
            view: ask(server, f"{coded}, {at} from hl7_contract.{view}")
            for view, at in (("diagnoses", "recorded_at"), ("medications", "started_at"))
        }
        self.results = ask(
            server,
            "select patient_id, code, coding_system, unit, value_number, result_status, observed_at"
            " from hl7_contract.lab_results order by result_id",
        )

    def whose(self, key):
        """Follow merges to the record that is left."""
        while self.merged[key] is not None:
            key = self.merged[key]
        return key

    def known(self, end):
        """Count who is known."""
        return sum(into is None and self.first_seen[key] < end for key, into in self.merged.items())

    def common(self, view, window):
        """List codes as (code, system, description, patients, now, before), the commonest first."""
        counted = ever, now, before = [defaultdict(set) for _ in range(3)]
        words = defaultdict(dict)
        for key, code, system, said, at in self.codes[view]:
            who, name = self.whose(key), (code, system)
            if at >= window.end:
                continue
            ever[name].add(who)
            if said is not None:
                words[name][who] = max(said, words[name].get(who, said))
            if at >= window.begin:
                now[name].add(who)
            elif at >= window.prior.begin:
                before[name].add(who)
        names = sorted(ever, key=lambda name: (-len(ever[name]), *name))[:LISTED]
        return [
            (*name, described(words[name].values()), *(len(each[name]) for each in counted))
            for name in names
        ]

    def together(self, window):
        """Return the ten pairs of many with the highest lift as {(key, key): (both, lift)}."""
        people = defaultdict(set)
        for key, code, system, _, at in self.codes["diagnoses"]:
            if at < window.end:
                people[f"{code}|{system}"].add(self.whose(key))
        keys = [f"{code}|{system}" for code, system, *_ in self.common("diagnoses", window)]
        known, pairs = self.known(window.end), {}
        for place, first in enumerate(keys):
            for second in keys[place + 1 :]:
                both = len(people[first] & people[second])
                if both >= SMALLEST:
                    by_chance = len(people[first]) / known * len(people[second])
                    pairs[first, second] = both, both / by_chance
        first = sorted(pairs, key=lambda pair: (-pairs[pair][1], *pair))[:10]
        return {pair: pairs[pair] for pair in first}

    def pending(self, end):
        """Count results without a final value as (key, all, up to a day, to three days, older)."""
        ages = defaultdict(list)
        for _, code, system, _, _, status, at in self.results:
            if status in {"I", "P", "R", "S"} and timedelta() < end - at <= 90 * DAY:
                ages[f"{code}|{system}"].append(end - at)
        rows = [
            (
                key,
                len(each),
                sum(age <= DAY for age in each),
                sum(DAY < age <= 3 * DAY for age in each),
                sum(age > 3 * DAY for age in each),
            )
            for key, each in ages.items()
        ]
        return sorted(rows, key=lambda row: (-row[1], row[0]))[:LISTED]

    def around(self, window):
        """Return {(medication, measured, unit): (patients, before, after, difference, lo, hi)}."""
        listed = {(code, system) for code, system, *_ in self.common("medications", window)}
        year = window.end.replace(year=window.end.year - 1)
        starts = defaultdict(list)
        for key, code, system, _, at in self.codes["medications"]:
            if (code, system) in listed and at < window.end:
                starts[self.whose(key), code].append(at)
        values = defaultdict(list)
        for key, code, _, unit, value, status, at in self.results:
            if value is not None and status in FINAL and at < window.end:
                values[self.whose(key), code].append((at, unit, float(value)))
        pairs = defaultdict(list)
        begun = {key: min(each) for key, each in starts.items() if min(each) >= year}
        for (who, medication), start in begun.items():
            for (whose, measured), each in values.items():
                found = paired(each, start) if whose == who else None
                if found:
                    pairs[medication, measured, found[0]].append(found[1:])
        return {name: compared(each) for name, each in pairs.items() if len(each) >= SMALLEST}


def described(words):
    """Return the description that most patients have, where eleven or more do."""
    many = [(-n, word) for word, n in Counter(words).items() if n >= SMALLEST]
    return min(many)[1] if many else ""


def paired(values, start):
    """Return unit, last value before and first after a start; of one moment the latest row."""
    earlier = [each for each in values if start - 180 * DAY <= each[0] < start]
    if not earlier:
        return None
    _, unit, before = max(reversed(earlier), key=lambda each: each[0])
    later = [
        each for each in values if start + DAY <= each[0] < start + 180 * DAY and each[1] == unit
    ]
    if not later:
        return None
    return unit or "", before, min(reversed(later), key=lambda each: each[0])[2]


def compared(pairs):
    """Compare by SciPy's own test of paired values."""
    before, after = zip(*pairs, strict=True)
    n, interval = len(pairs), stats.ttest_rel(after, before).confidence_interval(0.95)
    means = sum(before) / n, sum(after) / n
    return n, *means, means[1] - means[0], interval.low, interval.high
