# SPDX-License-Identifier: Apache-2.0
"""A client of the Kubernetes API, as small as the lab needs it."""

import http.client
import json
import ssl
import threading
import time

CONNECT_SECONDS = 5
# The API server ends a watch after this; a silent one would never be missed otherwise.
WATCH_SECONDS = 300
RETRY_SECONDS = 0.2
MERGE = 'application/merge-patch+json'


class ApiError(Exception):
    """The API server said no."""

    def __init__(self, status, body):
        super().__init__(f'{status} {body[:500].decode(errors="replace")}')
        self.status = status


class Api:
    """`https://HOST:PORT`, with a client certificate; a connection a request."""

    def __init__(self, host, port, ca, certificate=None, key=None):
        self.host, self.port = host, port
        self.tls = ssl.create_default_context(cafile=ca)
        if certificate:
            self.tls.load_cert_chain(certificate, key)

    def open(self, method, path, body=None, kind='application/json', token=None, timeout=CONNECT_SECONDS):
        """(connection, response): the caller closes the connection."""
        link = http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls)
        headers = {'Content-Type': kind, 'Accept': 'application/json'}
        if token:
            headers['Authorization'] = f'Bearer {token}'
        try:
            link.request(method, path, json.dumps(body) if body is not None else None, headers)
            reply = link.getresponse()
            if reply.status >= 400:
                raise ApiError(reply.status, reply.read())
        except BaseException:
            link.close()
            raise
        return link, reply

    def call(self, method, path, body=None, **options):
        link, reply = self.open(method, path, body, **options)
        try:
            return json.loads(reply.read() or b'null')
        finally:
            link.close()

    def get(self, path, **options):
        return self.call('GET', path, **options)

    def patch(self, path, body):
        return self.call('PATCH', path, body, kind=MERGE)

    def ready(self):
        try:
            link, reply = self.open('GET', '/readyz')
        except (OSError, http.client.HTTPException, ApiError):
            return False
        link.close()
        return reply.status == 200


def key_of(item):
    meta = item['metadata']
    return meta.get('namespace', ''), meta['name'], meta['uid']


class Informer(threading.Thread):
    """A list, kept current by a watch for as long as the lab lives; outages of the API are waited
    out. `changed(item, gone)` is called in the informer's thread."""

    def __init__(self, api, path, changed):
        super().__init__(daemon=True, name=f'informer {path}')
        self.api, self.path, self.changed = api, path, changed
        self.items = {}
        self.listed = threading.Event()
        self.start()

    def run(self):
        while True:
            try:
                self._follow(self._list())
            except (OSError, http.client.HTTPException, ApiError, ValueError):
                time.sleep(RETRY_SECONDS)

    def _list(self):
        found = self.api.get(self.path)
        now = {key_of(item): item for item in found['items']}
        for key in set(self.items) - set(now):
            self._take('DELETED', self.items[key])
        for item in now.values():
            self._take('MODIFIED', item)
        self.listed.set()
        return found['metadata']['resourceVersion']

    def _take(self, kind, item):
        if kind == 'DELETED':
            self.items.pop(key_of(item), None)
        else:
            self.items[key_of(item)] = item
        self.changed(item, kind == 'DELETED')

    def _follow(self, version):
        link, stream = self.api.open(
            'GET', f'{self.path}?watch=1&resourceVersion={version}&timeoutSeconds={WATCH_SECONDS}',
            timeout=WATCH_SECONDS + CONNECT_SECONDS)
        try:
            for line in stream:
                event = json.loads(line)
                if event['type'] == 'ERROR':
                    return  # too old, most often: list again
                self._take(event['type'], event['object'])
        finally:
            link.close()
