"""What the original story asks: an address outside of the hub that answers a GET when somebody has decided, hours later if
need be (there it is a workflow that writes a mail). Here the decision is a file.

    elsewhere.py PORT FOLDER    answers 200 once FOLDER/yes exists, 403 once FOLDER/no does
"""

import http.server
import pathlib
import sys
import time


class Workflow(http.server.BaseHTTPRequestHandler):
    folder = None

    def do_GET(self):
        print(f"asked: {self.path}", flush=True)
        while not (decision := [word for word in ("yes", "no") if (self.folder / word).exists()]):
            time.sleep(0.05)
        body = decision[0].encode()
        self.send_response(200 if decision[0] == "yes" else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        print(f"answered: {decision[0]}", flush=True)

    def log_message(self, *_):
        pass


def main():
    Workflow.folder = pathlib.Path(sys.argv[2])
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Workflow).serve_forever()


main()
