# SPDX-License-Identifier: Apache-2.0
"""Signature Version 4 as AWS documents it, and nothing of the collector's own:
an independent opinion for tests. As a module: sign, presign, send, code_of. As
a program: makes one request and prints "STATUS CODE", then the body; options
spoil what a test wants spoilt (see the end)."""
import argparse, hashlib, hmac, http.client, json, re, sys, time
from urllib.parse import quote, unquote_plus, urlsplit


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _scope(at, region, service):
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    return stamp, f"{stamp[:8]}/{region}/{service}/aws4_request"


def _signature(secret, stamp, scope, method, path, query, headers, names, payload):
    pairs = [p.partition("=") for p in query.split("&") if p]
    encoded = sorted((quote(unquote_plus(k), "-_.~"), quote(unquote_plus(v), "-_.~"))
                     for k, _, v in pairs)
    folded = {k.lower(): " ".join(v.split()) for k, v in headers.items()}
    canonical = "\n".join([
        method, quote(path or "/", "/-_.~"), "&".join(f"{k}={v}" for k, v in encoded),
        *(f"{n}:{folded[n]}" for n in names), "", ";".join(names), payload])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return _hmac(key, text).hex()


def sign(method, url, key, secret, region="us-east-1", service="tallyscope",
         headers=None, body=b"", at=None, payload=None):
    """The headers to send, Authorization among them. payload: instead of the
    body's hash, and sent then as X-Amz-Content-Sha256. at: epoch seconds."""
    u = urlsplit(url)
    stamp, scope = _scope(time.time() if at is None else at, region, service)
    headers = {"Host": u.netloc, "X-Amz-Date": stamp, **(headers or {})}
    if payload is not None:
        headers["X-Amz-Content-Sha256"] = payload
    names = sorted(n.lower() for n in headers)
    signature = _signature(secret, stamp, scope, method, u.path, u.query, headers, names,
                           payload or hashlib.sha256(body).hexdigest())
    return {**headers, "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/{scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}"}


def presign(method, url, key, secret, region="us-east-1", service="tallyscope",
            headers=None, body=b"", at=None, payload=None, expires=300):
    """The URL. What is in headers is signed and must be sent."""
    u = urlsplit(url)
    stamp, scope = _scope(time.time() if at is None else at, region, service)
    headers = {"Host": u.netloc, **(headers or {})}
    names = sorted(n.lower() for n in headers)
    query = "&".join([*([u.query] if u.query else []),
                      "X-Amz-Algorithm=AWS4-HMAC-SHA256",
                      "X-Amz-Credential=" + quote(f"{key}/{scope}", ""),
                      f"X-Amz-Date={stamp}", f"X-Amz-Expires={expires}",
                      "X-Amz-SignedHeaders=" + quote(";".join(names), "")])
    signature = _signature(secret, stamp, scope, method, u.path, query, headers, names,
                           payload or hashlib.sha256(body).hexdigest())
    return f"{u.scheme}://{u.netloc}{u.path or '/'}?{query}&X-Amz-Signature={signature}"


def send(method, url, headers=None, body=b""):
    """(status, headers with lower-case names, body)."""
    u = urlsplit(url)
    c = http.client.HTTPConnection(u.hostname, u.port, timeout=60)
    target = (u.path or "/") + ("?" + u.query if u.query else "")
    c.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": u.netloc, "Content-Length": str(len(body)),
                        **(headers or {})}.items():
        c.putheader(name, value)
    c.endheaders(body)
    r = c.getresponse()
    answer = r.read()
    c.close()
    return r.status, {k.lower(): v for k, v in r.getheaders()}, answer


def code_of(headers, body):
    """The error's code, in whichever form: header, JSON, XML, CBOR; or "-"."""
    if "x-amzn-errortype" in headers:
        return headers["x-amzn-errortype"]
    for pattern in (rb"<Code>(\w+)</Code>", rb"__type.{1,2}(?:com\.amazonaws\.\w+#)(\w+?Exception)",
                    rb'"(?:__type|code)" *: *"(?:[\w.]+#)?(\w+)"'):
        found = re.search(pattern, body, re.S)
        if found:
            return found.group(1).decode()
    return "-"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--key", default="")
    p.add_argument("--secret", default="")
    p.add_argument("--region", default="us-east-1")
    p.add_argument("--service", default="tallyscope")
    p.add_argument("-H", dest="signed", action="append", default=[], help="a signed header")
    p.add_argument("-U", dest="unsigned", action="append", default=[], help="an unsigned one")
    p.add_argument("--body", default="", help="text, or @FILE")
    p.add_argument("--send-body", help="another body than was signed")
    p.add_argument("--skew", type=int, default=0, help="seconds that this clock is ahead")
    p.add_argument("--expires", type=int, help="pre-signed, for so many seconds")
    p.add_argument("--payload", help="X-Amz-Content-Sha256")
    p.add_argument("--print", action="store_true", help="the pre-signed URL, not its answer")
    p.add_argument("-v", action="store_true", help="print the answer's headers too")
    p.add_argument("method")
    p.add_argument("url")
    a = p.parse_args()
    split = lambda lines: dict(re.split(": *", line, maxsplit=1) for line in lines)
    read = lambda text: open(text[1:], "rb").read() if text[:1] == "@" else text.encode()
    body, headers, url = read(a.body), split(a.signed), a.url
    common = dict(key=a.key, secret=a.secret, region=a.region, service=a.service,
                  headers=headers, body=body, at=time.time() + a.skew, payload=a.payload)
    if a.expires is not None:
        url = presign(a.method, url, expires=a.expires, **common)
    elif a.key:
        headers = sign(a.method, url, **common)
    if a.print:
        return print(url)
    sent = body if a.send_body is None else read(a.send_body)
    status, got, answer = send(a.method, url, {**headers, **split(a.unsigned)}, sent)
    print(status, code_of(got, answer))
    if a.v:
        print("\n".join(f"{k}: {v}" for k, v in got.items()) + "\n")
    sys.stdout.flush()
    sys.stdout.buffer.write(answer)


if __name__ == "__main__":
    main()
