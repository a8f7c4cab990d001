# SPDX-License-Identifier: Apache-2.0
"""What a pod's volumes hold. A volume is written as a kubelet writes it: a folder of its own each
time, and `..data`, a symbolic link, swapped to it, so that no reader sees half of a change."""

import base64
import os
import secrets
import shutil

DEFAULT_MODE = 0o644
# A kubelet renews a token when four fifths of its time are over.
RENEW_AT = 0.8


class Unknown(Exception):
    """A manifest asks for what the lab does not have: better told than passed over."""


def decoded(secret):
    return {key: base64.b64decode(value) for key, value in (secret.get('data') or {}).items()}


def texts(config):
    return {key: value.encode() for key, value in (config.get('data') or {}).items()}


def field(pod, path):
    """A field of the downward API."""
    meta, spec, status = pod['metadata'], pod['spec'], pod['status']
    simple = {
        'metadata.name': meta['name'], 'metadata.namespace': meta['namespace'], 'metadata.uid': meta['uid'],
        'spec.nodeName': spec.get('nodeName'), 'spec.serviceAccountName': spec.get('serviceAccountName'),
        'status.hostIP': status.get('hostIP'), 'status.podIP': status.get('podIP'),
        'status.podIPs': ','.join(entry['ip'] for entry in status.get('podIPs', ())),
    }
    if path in simple:
        return simple[path]
    for kind in ('labels', 'annotations'):
        if path.startswith(f"metadata.{kind}['"):
            return meta.get(kind, {}).get(path[len(f"metadata.{kind}['"):-2], '')
    raise Unknown(f'fieldPath {path}')


class Sources:
    """Reads what volumes and environments refer to, for one pod."""

    def __init__(self, api, pod):
        self.api, self.pod = api, pod
        self.token_ends = None  # wall clock at which the token is no longer good

    def _object(self, kind, name, optional=False):
        namespace = self.pod['metadata']['namespace']
        try:
            return self.api.get(f'/api/v1/namespaces/{namespace}/{kind}/{name}')
        except Exception as error:
            if optional and getattr(error, 'status', None) == 404:
                return {}
            raise

    def secret(self, name, optional=False):
        return decoded(self._object('secrets', name, optional))

    def config_map(self, name, optional=False):
        return texts(self._object('configmaps', name, optional))

    def token(self, seconds, audience=None):
        """A token of the pod's service account, bound to the pod (TokenRequest)."""
        meta, account = self.pod['metadata'], self.pod['spec'].get('serviceAccountName', 'default')
        ask = {'expirationSeconds': seconds,
               'boundObjectRef': {'apiVersion': 'v1', 'kind': 'Pod', 'name': meta['name'], 'uid': meta['uid']}}
        if audience:
            ask['audiences'] = [audience]
        path = f'/api/v1/namespaces/{meta["namespace"]}/serviceaccounts/{account}/token'
        return self.api.call('POST', path, {'spec': ask})['status']['token'].encode()

    def files(self, volume):
        """{path in the volume: (bytes, mode)} of a volume of the manifest."""
        kind, = (key for key in volume if key != 'name')
        if kind not in VOLUMES:
            raise Unknown(f'volume {volume["name"]} of the kind {kind}')
        return VOLUMES[kind](self, volume[kind])

    def _chosen(self, found, source, mode):
        """The items of a source, all without `items`."""
        items = source.get('items')
        if items is None:
            return {key: (data, mode) for key, data in found.items()}
        return {item['path']: (found[item['key']], item.get('mode', mode)) for item in items}

    def _secret(self, source, mode=None):
        name = source.get('secretName') or source['name']
        return self._chosen(self.secret(name, source.get('optional')), source,
                            mode or source.get('defaultMode', DEFAULT_MODE))

    def _config_map(self, source, mode=None):
        return self._chosen(self.config_map(source['name'], source.get('optional')), source,
                            mode or source.get('defaultMode', DEFAULT_MODE))

    def _downward(self, source, mode=None):
        return {item['path']: (field(self.pod, item['fieldRef']['fieldPath']).encode(),
                               mode or source.get('defaultMode', DEFAULT_MODE)) for item in source['items']}

    def _token(self, source, mode=None):
        return {source['path']: (self.token(source['expirationSeconds'], source.get('audience')), mode)}

    def _projected(self, source):
        mode, found = source.get('defaultMode', DEFAULT_MODE), {}
        for part in source['sources']:
            for kind, words in part.items():
                found.update(PROJECTED[kind](self, words, mode))
        return found


PROJECTED = {'secret': Sources._secret, 'configMap': Sources._config_map, 'downwardAPI': Sources._downward,
             'serviceAccountToken': Sources._token}
VOLUMES = {'secret': Sources._secret, 'configMap': Sources._config_map, 'downwardAPI': Sources._downward,
           'projected': Sources._projected, 'emptyDir': lambda sources, source: {}}


def write(folder, files, group):
    """Swap what a volume holds; group None leaves the files to their writer."""
    new = folder / f'..{secrets.token_hex(6)}'
    new.mkdir()
    for path, (data, mode) in files.items():
        target = new / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        # fsGroup reads what its owner reads.
        target.chmod(mode if group is None else mode | (mode & 0o400) >> 3)
        if group is not None:
            os.chown(target, -1, group)
    for top in {path.split('/')[0] for path in files}:
        if not (folder / top).is_symlink():
            (folder / top).symlink_to(f'..data/{top}')
    old = (folder / '..data').resolve() if (folder / '..data').is_symlink() else None
    (folder / '..tmp').symlink_to(new.name)
    (folder / '..tmp').rename(folder / '..data')
    if old is not None:
        shutil.rmtree(old)
