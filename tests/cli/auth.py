#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the door says to signatures and tokens that are right, and to each that
is not, in the form of each protocol. Prints "ok - NAME" and "not ok - NAME".

  auth.py make FOLDER          writes keys, keys of tokens and a configuration
  auth.py run FOLDER ADDRESS   against a collector that has them"""
import json, os, sys, time
from urllib.parse import urlencode

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import jwt  # noqa: E402
import sigv4  # noqa: E402

SECRET = "only-for-tests-0123456789-0123456789"
ISSUER, AUDIENCE = "https://issuer.test/", "tallyscope"
TRACE = "1-%08x-0123456789abcdef01234567" % int(time.time())
QUERY = urlencode({"Action": "ListMetrics", "Version": "2010-08-01"})

# Protocol: method, path, service, headers, body, and how a refusal looks:
# content type, and which of the three ways of AWS to call it.
PROTOCOLS = {
    "native": ("GET", "/api/v1/traces?function=a+b&limit=3", "tallyscope", {}, b"",
               "application/json", "native"),
    "REST": ("POST", "/Traces", "xray", {"Content-Type": "application/json"},
             json.dumps({"TraceIds": [TRACE]}).encode(), "application/json", "rest"),
    "JSON": ("POST", "/", "monitoring",
             {"Content-Type": "application/x-amz-json-1.0",
              "X-Amz-Target": "GraniteServiceVersion20100801.ListMetrics"}, b"{}",
             "application/x-amz-json-1.0", "json"),
    "CBOR": ("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics",
             "monitoring", {"Content-Type": "application/cbor",
                            "smithy-protocol": "rpc-v2-cbor"}, b"\xa0",
             "application/cbor", "json"),
    "Query": ("POST", "/", "monitoring",
              {"Content-Type": "application/x-www-form-urlencoded"}, QUERY.encode(),
              "text/xml", "query"),
    "Query by GET": ("GET", "/?" + QUERY, "monitoring", {}, b"", "text/xml", "query"),
}

# What a service of that kind answers: code for JSON, status of awsJson, of REST,
# code and status for Query (facts of AWS's "Common errors" pages).
MISSING = ("MissingAuthenticationTokenException", 400, 403,
           "MissingAuthenticationToken", 403)
INCOMPLETE = ("IncompleteSignatureException", 400, 403, "IncompleteSignature", 400)
MISMATCH = ("InvalidSignatureException", 400, 403, "SignatureDoesNotMatch", 403)
UNKNOWN = ("UnrecognizedClientException", 400, 403, "InvalidClientTokenId", 403)
EXPIRED_KEY = ("ExpiredTokenException", 400, 403, "ExpiredToken", 403)
STREAMING = ("NotImplementedException", 501, 501, "NotImplemented", 501)
DENIED = ("AccessDeniedException", 400, 403, "AccessDenied", 403)

FAILED = []


def report(passed, name, *told):
    print(("ok - " if passed else "not ok - ") + name)
    if not passed:
        FAILED.append(name)
        print("\n".join("# " + str(t)[:300] for t in told))


def wanted(kind, reason):
    """(status, code, value of x-amzn-query-error)."""
    json_code, json_status, rest_status, query_code, query_status = reason
    return {
        "native": (rest_status, json_code.removesuffix("Exception"), None),
        "rest": (rest_status, json_code, None),
        "json": (json_status, json_code, query_code),
        "query": (query_status, query_code, None),
    }[kind]


class Door:
    def __init__(self, address):
        self.base = "http://" + address

    def call(self, protocol, how="headers", key="ADMIN-KEY", secret=SECRET, region="us-east-1",
             service=None, skew=0, payload=None, expires=300, extra=None, body=None,
             change=None, path=None):
        """extra: headers that are not signed; body: sent instead of what was
        signed; path: so too; change: of the headers, after signing."""
        method, own_path, own_service, headers, own_body = PROTOCOLS[protocol][:5]
        url, headers = self.base + own_path, dict(headers)
        common = dict(key=key, secret=secret, region=region, headers=headers,
                      service=service or own_service, body=own_body,
                      at=time.time() + skew, payload=payload)
        if how == "headers":
            headers = sigv4.sign(method, url, **common)
        elif how == "presigned":
            url = sigv4.presign(method, url, expires=expires, **common)
        if path:
            url = url.replace(own_path, path)
        headers.update(extra or {})
        if change:
            change(headers)
        return sigv4.send(method, url, headers, own_body if body is None else body)

    def taken(self, name, protocol, **how):
        status, headers, body = self.call(protocol, **how)
        report(status == 200, f"{protocol}: {name}", status, headers, body)

    def refused(self, name, protocol, reason, **how):
        content_type, kind = PROTOCOLS[protocol][5:7]
        status, headers, body = self.call(protocol, **how)
        got = (status, sigv4.code_of(headers, body), headers.get("content-type"),
               headers.get("x-amzn-query-error"))
        status, code, query = wanted(kind, reason)
        report(got == (status, code, content_type, query and query + ";Sender"),
               f"{protocol}: {name}: {status} {code}", got, body)

    def bearer(self, token, path="/api/v1/traces", method="GET", body=b""):
        return sigv4.send(method, self.base + path,
                          {"Authorization": "Bearer " + token}, body)


def change_date(headers):
    headers["X-Amz-Date"] = headers["X-Amz-Date"][:-2] + "~Z"


def without_signature(headers):
    headers["Authorization"] = headers["Authorization"].partition(", Signature")[0]


def in_each_protocol(door, protocol):
    t = lambda *a, **k: door.taken(*a[:1], protocol, **k)
    r = lambda name, reason, **k: door.refused(name, protocol, reason, **k)
    t("signed by headers")
    t("pre-signed", how="presigned")
    t("the clock is 14 minutes ahead", skew=14 * 60)
    t("the clock is 14 minutes behind", skew=-14 * 60)
    t("another region", region="eu-west-1")
    t("a key of that region", key="REGIONAL", region="eu-west-1")
    r("nothing is signed", MISSING, how="none")
    r("an API key is not a signature", MISSING, how="none", extra={"x-api-key": SECRET})
    r("an unknown key", UNKNOWN, key="NOBODY-AT-ALL")
    r("an unknown key, pre-signed", UNKNOWN, how="presigned", key="NOBODY-AT-ALL")
    r("a wrong secret", MISMATCH, secret=SECRET + "x")
    r("a wrong secret, pre-signed", MISMATCH, how="presigned", secret=SECRET + "x")
    r("a wrong service", MISMATCH, service="s3")
    r("a region that cannot be one", INCOMPLETE, region="../etc")
    r("a region that is too long", MISMATCH, region="us-east-1" * 3)
    r("a key of other regions", MISMATCH, key="REGIONAL", region="us-east-1")
    r("an expired key", EXPIRED_KEY, key="EXPIRED-KEY")
    r("the clock is 16 minutes ahead", MISMATCH, skew=16 * 60)
    r("the clock is 16 minutes behind", MISMATCH, skew=-16 * 60)
    r("pre-signed, and expired", MISMATCH, how="presigned", expires=60, skew=-120)
    r("pre-signed for over 7 days", INCOMPLETE, how="presigned", expires=604801)
    r("pre-signed in the future", MISMATCH, how="presigned", skew=16 * 60)
    r("an x-amz header that is not signed", MISMATCH, extra={"X-Amz-Meta": "1"})
    r("the body is not signed", MISMATCH, payload="UNSIGNED-PAYLOAD")
    r("signed by chunks", STREAMING, payload="STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    r("a date that is none", INCOMPLETE, change=change_date)
    r("no signature", INCOMPLETE, change=without_signature)
    if protocol == "native":
        r("another form of the path", MISMATCH, path="/." + PROTOCOLS[protocol][1])
    if PROTOCOLS[protocol][0] == "POST":
        r("another body", MISMATCH, body=PROTOCOLS[protocol][4] + b" ")
        r("another body, pre-signed", MISMATCH, how="presigned",
          body=PROTOCOLS[protocol][4] + b" ")
    else:
        r("another query", MISMATCH, path=PROTOCOLS[protocol][1] + "&x=1")


def claims(**changes):
    now = int(time.time())
    all_claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ali", "iat": now,
                  "exp": now + 300, "tallyscope_account": "123456789012",
                  "tallyscope_role": "read", "tallyscope_region": "eu-west-1", **changes}
    return {k: v for k, v in all_claims.items() if v is not None}


def tokens(door, folder):
    make = lambda alg="HS256", kid="hmac", secret=None, **changes: jwt.token(
        folder, alg, kid, claims(**changes), secret)

    def taken(name, token):
        status, headers, body = door.bearer(token)
        report(status == 200, f"token: {name}", status, headers, body)

    def refused(name, token, path="/api/v1/traces", method="GET", want=401):
        status, headers, body = door.bearer(token, path, method)
        code = sigv4.code_of(headers, body)
        report(status == want and code == "InvalidToken", f"token: {name}: {want}",
               status, headers, body)

    good = make()
    for alg, kid in (("HS256", "hmac"), ("RS256", "rsa"), ("ES256", "ec")):
        taken(alg, make(alg, kid))
        head, payload, signature = make(alg, kid).split(".")
        forged = jwt.b64(json.dumps(claims(tallyscope_role="admin")).encode())
        refused(f"{alg}, other claims", f"{head}.{forged}.{signature}")
        # The first character: the last has bits that decode to nothing.
        flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
        refused(f"{alg}, another signature", f"{head}.{payload}.{flipped}")
    taken("for several audiences", make(aud=["others", AUDIENCE]))
    taken("of no region", make(tallyscope_region=None))
    for form in ("PEM", "DER"):
        public = jwt.rsa_public(folder, form)
        for name, secret in ((form, public), (form + " without its end", public.rstrip())):
            refused(f"HS256 with the public key of RSA, {name}",
                    make("HS256", "rsa", secret))
    refused("none", make("none", "hmac"))
    refused("none, with the signature of another", make("none", "rsa") +
            good.rpartition(".")[2])
    refused("RS256 of the wrong key", make("RS256", "ec"))
    refused("a key that is not known", make(kid="nobody"))
    refused("another issuer", make(iss=ISSUER + "x"))
    refused("no issuer", make(iss=None))
    refused("another audience", make(aud="others"))
    refused("no audience", make(aud=None))
    refused("expired", make(exp=int(time.time()) - 120))
    refused("that never expires", make(exp=None))
    refused("not yet valid", make(nbf=int(time.time()) + 120))
    refused("of no account", make(tallyscope_account=None))
    refused("with a number for an account", make(tallyscope_account=123456789012))
    refused("of no role", make(tallyscope_role=None))
    refused("of an unknown role", make(tallyscope_role="root"))
    refused("of a region that is none", make(tallyscope_region="../x"))
    refused("that is none", "x.y.z")
    refused("that is empty", "")

    status, headers, body = door.bearer(good, "/Traces", "POST", b'{"TraceIds":["x"]}')
    report((status, sigv4.code_of(headers, body)) == (401, "InvalidTokenException"),
           "token: not for AWS's services: 401", status, headers, body)
    status, headers, body = door.bearer(good, "/api/v1/batches", "POST", b"")
    report((status, sigv4.code_of(headers, body)) == (403, "AccessDenied"),
           "token: the role read does not write: 403", status, headers, body)
    status, headers, body = door.bearer(make(tallyscope_role="ingest"))
    report((status, sigv4.code_of(headers, body)) == (403, "AccessDenied"),
           "token: the role ingest does not read: 403", status, headers, body)


def regions(door):
    """What a request says of itself is no region: the signature's counts, and
    what was written in one is not read in another."""
    path, now = "/TraceSegments", time.time()
    document = json.dumps({"trace_id": TRACE, "id": "0123456789abcdef", "name": "r",
                           "start_time": now - 1, "end_time": now})
    body = json.dumps({"TraceSegmentDocuments": [document]}).encode()
    headers = sigv4.sign("POST", door.base + path, "ADMIN-KEY", SECRET, "eu-west-1", "xray",
                         {"Content-Type": "application/json"}, body)
    status, _, answer = sigv4.send("POST", door.base + path, headers, body)
    report(status == 200, "a segment for eu-west-1", status, answer)
    found = lambda **how: door.call("REST", **how)[2].count(b'"Document"')
    deadline = time.time() + 10
    while not found(region="eu-west-1") and time.time() < deadline:
        time.sleep(0.05)
    got = [found(region="eu-west-1"), found(region="us-east-1"),
           found(region="eu-west-1", key="OTHER-KEY")]
    report(got == [1, 0, 0], "is there, not in us-east-1, not for another account", got)
    _, _, answer = door.bearer(jwt.token(sys.argv[2], "HS256", "hmac", claims()))
    report(TRACE in answer.decode(), "a token with that region finds it", answer)
    _, _, answer = door.bearer(jwt.token(sys.argv[2], "HS256", "hmac",
                                         claims(tallyscope_region="us-east-1")))
    report(TRACE not in answer.decode(), "one with another does not", answer)


def make(folder):
    key = lambda name, *more, account="123456789012", role="admin": "\n".join([
        f"[{name.lower()}]", f"aws_access_key_id = {name}",
        f"aws_secret_access_key = {SECRET}", f"role = {role}",
        f"account = {account}", *more, "", ""])
    with open(os.path.join(folder, "keys"), "w") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write(key("ADMIN-KEY") + key("OTHER-KEY", account="210987654321") +
                key("REGIONAL", "regions = eu-west-1, eu-central-1") +
                key("EXPIRED-KEY", "expires = 20200101T000000Z"))
    with open(os.path.join(folder, "jwks"), "w") as f:
        os.fchmod(f.fileno(), 0o600)
        json.dump(jwt.make_keys(folder), f)
    with open(os.path.join(folder, "conf"), "w") as f:
        json.dump({"keys": os.path.join(folder, "keys"),
                   "tokens": {"jwks": os.path.join(folder, "jwks"), "issuer": ISSUER,
                              "audience": AUDIENCE}}, f)


def run(folder, address):
    door = Door(address)
    for protocol in PROTOCOLS:
        in_each_protocol(door, protocol)
    tokens(door, folder)
    regions(door)
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(make(sys.argv[2]) if sys.argv[1] == "make" else run(*sys.argv[2:4]))
