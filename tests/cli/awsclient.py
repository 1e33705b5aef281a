# SPDX-License-Identifier: Apache-2.0
"""What an AWS client does, by the published pages and with Python's standard
library alone: a second implementation of Signature Version 4, of the protocols
awsJson, rpc-v2-cbor and Query, and of HS256 tokens. For tests."""
import base64
import datetime
import hashlib
import hmac
import http.client
import json
import struct
import urllib.parse


class Time(float):
    """A time among the values of a request."""


# --- Signature Version 4 (docs: create a signed AWS API request) --------------

def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def quote(text):
    return urllib.parse.quote(text, safe="-_.~")


def sign(key, method, path, query, headers, body, service, region, now=None):
    """Adds X-Amz-Date, X-Amz-Content-Sha256 and Authorization to headers, which
    has Host. key: (id, secret). path as sent; query a list of pairs."""
    now = now or datetime.datetime.now(datetime.timezone.utc)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    headers["X-Amz-Date"] = stamp
    headers["X-Amz-Content-Sha256"] = digest
    lower = {k.lower(): " ".join(v.split()) for k, v in headers.items()}
    names = ";".join(sorted(lower))
    canonical = "\n".join([
        method,
        "/".join(quote(part) for part in path.split("/")),
        "&".join(sorted(f"{quote(k)}={quote(v)}" for k, v in query)),
        "".join(f"{k}:{lower[k]}\n" for k in sorted(lower)),
        names, digest])
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    k = ("AWS4" + key[1]).encode()
    for part in scope.split("/"):
        k = _hmac(k, part)
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key[0]}/{scope}, "
        f"SignedHeaders={names}, Signature={_hmac(k, text).hex()}")


# --- tokens (RFC 7515, 7518, 7519) ---------------------------------------------

def _b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(secret, kid, claims):
    head = _b64(json.dumps({"alg": "HS256", "kid": kid}).encode())
    text = head + "." + _b64(json.dumps(claims).encode())
    return text + "." + _b64(hmac.new(secret, text.encode(),
                                      hashlib.sha256).digest())


def jwks(secret, kid):
    return {"keys": [{"kty": "oct", "kid": kid, "alg": "HS256",
                      "k": _b64(secret)}]}


# --- bodies ----------------------------------------------------------------------

def _cbor_head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    if n < 256:
        return bytes([major << 5 | 24, n])
    if n < 65536:
        return bytes([major << 5 | 25]) + struct.pack(">H", n)
    return bytes([major << 5 | 26]) + struct.pack(">I", n)


def cbor(value):
    if isinstance(value, Time):
        return b"\xc1\xfb" + struct.pack(">d", value)
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _cbor_head(0, value) if value >= 0 else _cbor_head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, str):
        raw = value.encode()
        return _cbor_head(3, len(raw)) + raw
    if isinstance(value, list):
        return _cbor_head(4, len(value)) + b"".join(map(cbor, value))
    return _cbor_head(5, len(value)) + b"".join(
        cbor(k) + cbor(v) for k, v in value.items())


def form(value, prefix=""):
    """Pairs of the Query protocol."""
    if isinstance(value, dict):
        pairs = []
        for k, v in value.items():
            pairs += form(v, f"{prefix}.{k}" if prefix else k)
        return pairs
    if isinstance(value, list):
        pairs = []
        for i, v in enumerate(value):
            pairs += form(v, f"{prefix}.member.{i + 1}")
        return pairs
    if isinstance(value, Time):
        when = datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
        return [(prefix, when.strftime("%Y-%m-%dT%H:%M:%SZ"))]
    if isinstance(value, bool):
        return [(prefix, "true" if value else "false")]
    return [(prefix, str(value))]


def encode(operation, protocol, value):
    """(method, path, headers, body) of a call by name."""
    name = operation["name"]
    if protocol.startswith("json-"):
        return ("POST", "/", {
            "Content-Type": f"application/x-amz-{protocol}",
            "X-Amz-Target": f"{operation['target']}.{name}",
        }, json.dumps(value).encode())
    if protocol == "rpc-v2-cbor":
        return ("POST", f"/service/{operation['target']}/operation/{name}", {
            "Content-Type": "application/cbor",
            "Accept": "application/cbor",
            "smithy-protocol": "rpc-v2-cbor",
        }, cbor(value))
    if protocol == "query":
        pairs = [("Action", name), ("Version", operation["version"])]
        return ("POST", "/", {
            "Content-Type": "application/x-www-form-urlencoded",
        }, urllib.parse.urlencode(pairs + form(value)).encode())
    raise ValueError(protocol)


# --- sending ---------------------------------------------------------------------

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def text(self):
        """All that the client gets to see."""
        lines = [f"{k}: {v}" for k, v in self.headers if k != "Date"]
        return "\n".join(lines) + "\n\n" + self.body.decode("latin-1")


class Client:
    def __init__(self, address):
        self.address = address
        self.connection = http.client.HTTPConnection(address, timeout=20)

    def send(self, credential, service, method, path, query=(), headers=None,
             body=b"", region="us-east-1"):
        """credential: None, ("token", text) or ("key", id, secret)."""
        query = list(query)
        headers = dict(headers or {})
        headers["Host"] = self.address
        if credential and credential[0] == "key":
            sign(credential[1:], method, path, query, headers, body, service,
                 region)
        elif credential:
            headers["Authorization"] = "Bearer " + credential[1]
        target = path
        if query:
            target += "?" + "&".join(f"{quote(k)}={quote(v)}"
                                     for k, v in query)
        try:
            return self._exchange(method, target, body, headers)
        except (http.client.HTTPException, ConnectionError):
            # An idle connection may be closed at any time: once more.
            self.connection.close()
            return self._exchange(method, target, body, headers)

    def _exchange(self, method, target, body, headers):
        self.connection.request(method, target, body or None, headers)
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())
