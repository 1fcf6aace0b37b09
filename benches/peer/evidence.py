"""Runs the SQL that findings rest on, with DuckDB, in the folder of a run.

Every query has to run. Where it gives one number and the finding has an estimate of it, the two have to be the same number.

    python benches/peer/evidence.py OUT...        # folders that `transect audit --out` wrote

Exit code 1 where a query does not run or gives another number.
"""

import json
import math
import os
import sys

import duckdb

# Sums in another order; probabilities are kept in single precision, and some findings scale them to sum to 1 first.
TOLERANCE = 1e-7


def findings(folder):
    for name, key in (("findings.json", "findings"), ("cost.json", None)):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                read = json.load(file)
            yield from read[key] if key else read


def check(finding):
    """What came of a finding's query: a word, and what there is to say."""
    sql = finding["evidence"].get("sql")
    if not sql:
        return "no query", ""
    try:
        rows = duckdb.sql(sql).fetchall()
    except Exception as error:  # whatever DuckDB says
        return "ERROR", f"{error} in {sql}"
    if not rows and finding["estimate"]:
        return "EMPTY", sql
    one = len(rows) == 1 and len(rows[0]) == 1
    if not one or finding["estimate"] is None:
        return "rows", f"{len(rows)} of {len(rows[0]) if rows else 0}"
    value = rows[0][0]
    same = isinstance(value, (int, float)) and math.isclose(
        value, finding["estimate"], rel_tol=TOLERANCE, abs_tol=TOLERANCE
    )
    return ("same" if same else "OTHER"), f"{value} for {finding['estimate']}"


def main(folders):
    bad = 0
    start = os.getcwd()
    for folder in folders:
        os.chdir(os.path.join(start, folder))
        counts = {}
        for finding in findings("."):
            word, what = check(finding)
            counts[word] = counts.get(word, 0) + 1
            if word.isupper():
                bad += 1
            if word.isupper() or (word == "same" and os.environ.get("VERBOSE")):
                print(f"{folder}: {word}: {finding['id']}: {what}")
        print(f"{folder}: {counts}")
    return 1 if bad or not folders else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
