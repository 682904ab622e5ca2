"""The subquery of store.queues.due_queues that grows with what waits, and two forms that do not.

Usage: python turns_sqlite.py      (SQLite alone; the shape of telealarm's alarm_request and index)
"""

import sqlite3
import time

db = sqlite3.connect(":memory:")
db.execute(
    "CREATE TABLE r (id INTEGER PRIMARY KEY, status INT, waits_for INT, queue INT, date TEXT)"
)
db.execute("CREATE INDEX i ON r (status, waits_for, queue, date, id)")
db.execute("CREATE TABLE turn (queue INT)")
db.executemany("INSERT INTO turn VALUES (?)", [(1000 + n,) for n in range(100)])
print("SQLite", sqlite3.sqlite_version)
FORMS = {
    "as it is: MIN, queue = ? and queue > 0": "(SELECT MIN(t.date) FROM r t WHERE t.status = 1 AND t.waits_for = 0 AND t.queue > 0 AND t.queue = turn.queue)",
    "MIN, without the second condition": "(SELECT MIN(t.date) FROM r t WHERE t.status = 1 AND t.waits_for = 0 AND t.queue = turn.queue)",
    "ORDER BY date LIMIT 1": "(SELECT t.date FROM r t WHERE t.status = 1 AND t.waits_for = 0 AND t.queue = turn.queue ORDER BY t.date LIMIT 1)",
    "EXISTS (date <= now)": None,
}
there = 0
for count in (10_000, 100_000, 400_000):
    db.executemany(
        "INSERT INTO r (status, waits_for, queue, date) VALUES (1, 0, ?, '2030-01-01')",
        [(1000 + n % 100,) for n in range(count - there)],
    )
    there = count
    for name, sub in FORMS.items():
        sql = (
            f"SELECT queue FROM turn WHERE {sub} <= '2029'"
            if sub
            else "SELECT queue FROM turn WHERE EXISTS (SELECT 1 FROM r t WHERE t.status = 1 AND t.waits_for = 0 AND t.queue = turn.queue AND t.date <= '2029')"
        )
        best = 1e9
        for _ in range(5):
            began = time.process_time()
            db.execute(sql).fetchall()
            best = min(best, time.process_time() - began)
        print(f"{count:8} rows  {best * 1000:9.3f} ms  {name}")
