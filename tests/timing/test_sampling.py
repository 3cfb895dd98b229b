"""The sampler: what a thread does counts for the package that it was called by."""

import json
import threading

from helpers.timing.sampling import REST, sampled


def test_work_counts_for_who_called_it_and_waiting_is_rest() -> None:
    done, text = threading.Event(), json.dumps(list(range(2000)))

    def work() -> None:
        while not done.is_set():
            json.loads(text)

    names = {__name__.partition(".")[0]: "mine"}
    for target, expected in ((work, "mine"), (done.wait, REST)):
        done.clear()
        thread = threading.Thread(target=target)
        thread.start()
        with sampled(thread.ident, names) as seen:
            while seen.total() < 20:
                threading.Event().wait(0.005)  # pace: of looking whether there are
        done.set()
        thread.join()
        assert seen.most_common(1)[0][0] == expected
