# SPDX-License-Identifier: Apache-2.0
"""An API server that follows a script: EndpointSlices and Pods over TLS, and every mishap that a client meets."""

import contextlib
import json
import os
import pathlib
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import urllib.parse

SLICES = "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices"
PODS = "/api/v1/namespaces/prod/pods"


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder), name
        self.cert, self.key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2, "-subj",
                f"/CN={name}", "-keyout", self.key, "-out", self.cert)

    def sign(self, names, file="server", days=2):
        """(certificate, key) of a server that has these subjectAltNames."""
        key, request, cert, ext = (self.folder / f"{self.name}-{file}.{end}" for end in ("key", "csr", "crt", "ext"))
        ext.write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=api", "-keyout", key,
                "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", days,
                "-extfile", ext, "-out", cert)
        return cert, key


def slice_of(name, version, *endpoints, family="IPv4", ports=()):
    """An EndpointSlice; an endpoint is an address or a dict with more."""
    return {"metadata": {"name": name, "resourceVersion": str(version)}, "addressType": family,
            "ports": [{"name": n, "port": p, "protocol": "TCP"} for n, p in ports],
            "endpoints": [endpoint(e) for e in endpoints]}


def endpoint(e):
    return e if isinstance(e, dict) else {"addresses": [e], "conditions": {"ready": True}}


def pod(name, version, *ips, phase="Running", going=False):
    metadata = {"name": name, "resourceVersion": str(version)}
    if going:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {"metadata": metadata, "spec": {"hostname": name}, "status": {"phase": phase, "podIPs": [{"ip": i} for i in ips]}}


def status_of(code, message=""):
    return {"kind": "Status", "code": code, "message": message}


class Request:
    """One GET, with what the script may do about it."""

    def __init__(self, handler, path, headers):
        self.handler, self.headers = handler, headers
        self.path, _, query = path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query))
        self.at = time.monotonic()

    @property
    def watches(self):
        return "watch" in self.query

    @property
    def version(self):
        return self.query.get("resourceVersion")

    @property
    def token(self):
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    def raw(self, data):
        self.handler.request.sendall(data)

    def answer(self, code, document, *headers):
        body = json.dumps(document).encode()
        lines = [f"HTTP/1.1 {code} X", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
        self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def list(self, version, *items, more=None):
        metadata = {"resourceVersion": str(version)} | ({"continue": more} if more else {})
        self.answer(200, {"metadata": metadata, "items": list(items)})

    def refuse(self, code, message="", *headers):
        self.answer(code, status_of(code, message), *headers)

    def begin(self):
        """The head of a watch."""
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")

    def chunk(self, data):
        self.raw(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def event(self, kind, thing):
        self.chunk(json.dumps({"type": kind, "object": thing}).encode() + b"\n")

    def bookmark(self, version):
        self.event("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})

    def finish(self):
        """The end that a watch has when its time is over."""
        self.raw(b"0\r\n\r\n")

    def hold(self, seconds=60):
        """Silence, until the client goes."""
        self.handler.request.settimeout(seconds)
        with contextlib.suppress(OSError):
            while self.handler.request.recv(4096):
                pass


class Server:
    """Serves `script(request)`, each in its own thread; `requests` has all that came."""

    def __init__(self, cert, key, script, address="127.0.0.1", port=0):
        self.script, self.requests = script, []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError, ssl.SSLError):
                    self.request = outer.context.wrap_socket(self.request, server_side=True)
                    outer.serve(self)

            def finish(self):
                with contextlib.suppress(OSError):
                    self.request.close()

        class Listener(socketserver.ThreadingTCPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
            allow_reuse_address = daemon_threads = True
            block_on_close = False

        self.listener = Listener((address, port), Handler)
        self.address, self.port = address, self.listener.server_address[1]
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def serve(self, handler):
        head = b""
        while b"\r\n\r\n" not in head:
            data = handler.request.recv(4096)
            if not data:
                return
            head += data
        first, *lines = head.decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
        request = Request(handler, first.split()[1], headers)
        self.requests.append(request)
        self.script(request)

    def close(self):
        self.listener.shutdown()
        self.listener.server_close()


class Account:
    """The folder that the kubelet mounts."""

    def __init__(self, folder, ca, token="good"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.write("ca.crt", ca.read_text())
        self.write("namespace", "prod")
        self.write("token", token + "\n")

    def write(self, name, text):
        new = self.folder / f"..{name}"
        new.write_text(text)
        os.replace(new, self.folder / name)
