# SPDX-License-Identifier: Apache-2.0
"""Kinds of other people's that our manifests use, as the lab's own small definitions: the API server
then takes such objects, and nobody acts on them."""

import json

# group, version, kind, plural: the fields that our manifests set, all that is checked of them.
KINDS = (
    ('monitoring.coreos.com', 'v1', 'PodMonitor', 'podmonitors', ('selector', 'podMetricsEndpoints')),
    ('monitoring.coreos.com', 'v1', 'PrometheusRule', 'prometheusrules', ('groups',)),
    ('cert-manager.io', 'v1', 'Issuer', 'issuers', ()),
    ('cert-manager.io', 'v1', 'Certificate', 'certificates', ('secretName', 'issuerRef')),
)


def definition(group, version, kind, plural, required):
    anything = {'x-kubernetes-preserve-unknown-fields': True}
    spec = {'type': 'object', 'required': list(required), 'properties': dict.fromkeys(required, anything), **anything}
    schema = {'type': 'object', 'required': ['spec'], 'properties': {'spec': spec}}
    return {
        'apiVersion': 'apiextensions.k8s.io/v1', 'kind': 'CustomResourceDefinition',
        'metadata': {'name': f'{plural}.{group}'},
        'spec': {'group': group, 'scope': 'Namespaced', 'names': {'kind': kind, 'plural': plural},
                 'versions': [{'name': version, 'served': True, 'storage': True,
                               'schema': {'openAPIV3Schema': schema}}]},
    }


def apply(plane):
    items = [definition(*row) for row in KINDS]
    plane.kubectl('apply', '-f', '-', stdin=json.dumps({'apiVersion': 'v1', 'kind': 'List', 'items': items}))
    plane.kubectl('wait', '--for=condition=Established', '--timeout=60s',
                  *(f'crd/{item["metadata"]["name"]}' for item in items))
