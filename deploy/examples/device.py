# Posts a sensor's readings from MicroPython:  mpremote mip install requests; mpremote cp device.py :main.py
# Each is appended once, whatever network and power do: what was not acknowledged lies in a file with its
# place in the producer's sequence, and is sent again from there.
import json, os, random, time, requests

URL = "http://192.168.1.10:8080/v1/topics/readings/records"
TOKEN = None  # of `streamctl token create`, where the server asks for one
STATE = "millrace.json"  # written with each reading: a card bears that longer than flash does
BATCH = 20  # readings in a request at most; a token with a rate takes ten seconds' worth
WAITING = 1000  # readings that are kept at most; then the oldest go

def load():
    try:
        with open(STATE) as file:
            return json.load(file)
    except (OSError, ValueError):
        # Nobody knows what was sent: a new producer, not the old one's sequence.
        name = "device-%08x%08x" % (random.getrandbits(32), random.getrandbits(32))
        return {"id": name, "sequence": 0, "batch": [], "waiting": []}

def save(state):
    with open(STATE + ".new", "w") as file:
        json.dump(state, file)
    os.rename(STATE + ".new", STATE)

def send(state):
    """Sends what waits; false: try again later."""
    while state["batch"] or state["waiting"]:
        if not state["batch"]:  # Fixed before it is sent, so that it can be sent again as it was.
            state["batch"], state["waiting"] = state["waiting"][:BATCH], state["waiting"][BATCH:]
            save(state)
        place = {"Producer-Id": state["id"], "Producer-Epoch": "0", "Content-Type": "application/json"}
        place["Producer-Seq"] = str(state["sequence"])
        if TOKEN: place["Authorization"] = "Bearer " + TOKEN
        body = json.dumps({"records": [{"value": each} for each in state["batch"]]}).encode()
        try:
            answer = requests.post(URL, data=body, headers=place, timeout=30)
            status, text = answer.status_code, answer.text
        except OSError:
            return False
        if status == 200 or "sequence_duplicate" in text:
            state["sequence"] += 1
        elif status in (401, 403, 404, 408, 429) or status >= 500:
            return False
        else:
            print("refused:", status, text)
        state["batch"] = []
        save(state)
    return True

def main(read_sensor, seconds=10):
    state = load()
    while True:
        state["waiting"] = (state["waiting"] + [read_sensor()])[-WAITING:]
        save(state)
        send(state)
        time.sleep(seconds)

if __name__ == "__main__":
    main(lambda: {"celsius": 20.5})  # Your sensor's reading in its place.
