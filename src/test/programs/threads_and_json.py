"""Threads that pass texts in JSON to each other, hash them, and sleep a little."""
import hashlib
import json
import queue
import threading
import time

tasks = queue.Queue()
results = []
lock = threading.Lock()


def work(number):
    while True:
        text = tasks.get()
        if text is None:
            return
        value = json.loads(text)
        value["digest"] = hashlib.sha256(text.encode()).hexdigest()
        value["worker"] = number
        with lock:
            results.append(json.dumps(value, sort_keys=True))
        time.sleep(0.0005)


workers = [threading.Thread(target=work, args=(number,)) for number in range(3)]
for worker in workers:
    worker.start()
for number in range(40):
    tasks.put(json.dumps({"number": number, "squares": [i * i for i in range(number)]}))
for worker in workers:
    tasks.put(None)
for worker in workers:
    worker.join()
print(len(results), sum(len(text) for text in results))
