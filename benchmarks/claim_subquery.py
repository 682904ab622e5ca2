"""One subquery of a claim in SQLite, written in four ways: which of them grow with what waits.

Usage: python -m benchmarks.claim_subquery [--rows N,N]

The subquery of store/dialing/fair_queue.due_queues that finds the oldest request of a queue. The
table and its index have the shape of TeleAlarm's alarm_request; nothing of TeleAlarm runs.
"""

import argparse
import sqlite3
import time

QUEUES = 100
_WAITS = "FROM r t WHERE t.status = 1 AND t.waits_for = 0 AND t.queue = turn.queue"
FORMS = {
    "MIN, queue = ? and queue > 0": f"(SELECT MIN(t.date) {_WAITS} AND t.queue > 0) <= '2029'",
    "MIN, without the second condition": f"(SELECT MIN(t.date) {_WAITS}) <= '2029'",
    "ORDER BY date LIMIT 1": f"(SELECT t.date {_WAITS} ORDER BY t.date LIMIT 1) <= '2029'",
    "EXISTS (date <= now)": f"EXISTS (SELECT 1 {_WAITS} AND t.date <= '2029')",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", default="10000,100000,400000", help="how many wait, in turn")
    given = parser.parse_args()
    print("SQLite", sqlite3.sqlite_version)
    db = sqlite3.connect(":memory:")
    db.execute(
        "CREATE TABLE r (id INTEGER PRIMARY KEY, status INT, waits_for INT, queue INT, date TEXT)"
    )
    db.execute("CREATE INDEX i ON r (status, waits_for, queue, date, id)")
    db.execute("CREATE TABLE turn (queue INT)")
    db.executemany("INSERT INTO turn VALUES (?)", [(1000 + n,) for n in range(QUEUES)])
    present = 0
    for count in map(int, given.rows.split(",")):
        db.executemany(
            "INSERT INTO r (status, waits_for, queue, date) VALUES (1, 0, ?, '2030-01-01')",
            [(1000 + n % QUEUES,) for n in range(count - present)],
        )
        present = count
        for name, condition in FORMS.items():
            best = min(timed(db, f"SELECT queue FROM turn WHERE {condition}") for _ in range(5))
            print(f"{count:8} rows  {best * 1000:9.3f} ms  {name}")
    db.close()


def timed(db: sqlite3.Connection, sql: str) -> float:
    started = time.process_time()
    db.execute(sql).fetchall()
    return time.process_time() - started


if __name__ == "__main__":
    main()
