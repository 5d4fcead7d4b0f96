#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves a folder on loopback as good and bad servers do, for images.bats.

usage: serve.py FOLDER PORTFILE LOG

The first part of a path says how: /plain/FILE whole or by Range; /cut/FILE breaks off in the middle
of a whole file, and serves the rest by Range; /torn/FILE breaks off always and knows no Range, and so
does /bare/FILE, which has no ETag either;
/away/ANYTHING is 503; /latest/ leads to /os-images/1.2.3/, which is an empty page, and
/os-images/1.2.3/FILE is /plain/FILE. The log has a line "METHOD PATH RANGE STATUS" for each request.
"""
import http.server
import os
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def note(self, status):
        with open(sys.argv[3], "a", encoding="ascii") as log:
            log.write(f"GET {self.path} {self.headers.get('Range', '-')} {status}\n")

    def answer(self, status, body=b"", headers=(), cut=None):
        self.note(status)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def serve_file(self, how, name):
        path = os.path.join(sys.argv[1], name)
        if not os.path.isfile(path):
            return self.answer(404)
        with open(path, "rb") as file:
            body = file.read()
        tag = f'"{os.stat(path).st_mtime_ns}"'
        headers = [("ETag", tag)]
        wanted = self.headers.get("Range", "")
        large = len(body) > 4096
        if how in ("torn", "bare"):
            headers = headers if how == "torn" else []
            return self.answer(200, body, headers, len(body) // 2 if large else None)
        if wanted.startswith("bytes=") and self.headers.get("If-Range", tag) == tag:
            first = int(wanted[6:].rstrip("-"))
            headers.append(("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}"))
            return self.answer(206, body[first:], headers)
        cut = len(body) // 2 if how == "cut" and large else None
        return self.answer(200, body, headers, cut)

    def do_GET(self):  # noqa: N802 (the library's name)
        how, _, name = self.path.lstrip("/").partition("/")
        if how == "latest":
            return self.answer(302, headers=[("Location", "/os-images/1.2.3/")])
        if how == "os-images":
            name = name.partition("/")[2]
            return self.serve_file("plain", name) if name else self.answer(200)
        if how == "away":
            return self.answer(503)
        return self.serve_file(how, name)

    def log_message(self, format, *args):  # noqa: A002 (the library's name)
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with open(sys.argv[2] + ".new", "w", encoding="ascii") as file:
        file.write(str(server.server_address[1]))
    os.rename(sys.argv[2] + ".new", sys.argv[2])
    server.serve_forever()


main()
