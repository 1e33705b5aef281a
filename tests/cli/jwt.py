# SPDX-License-Identifier: Apache-2.0
"""JSON Web Tokens of three algorithms, with openssl(1) for the keys and the
signatures of RSA and ECDSA, so that what judges the door's verifier is another
implementation. In folder: rsa.pem, ec.pem, hmac."""
import base64, hashlib, hmac, json, os, subprocess


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def make_keys(folder):
    """New keys; returns their JSON Web Key Set."""
    rsa, ec = os.path.join(folder, "rsa.pem"), os.path.join(folder, "ec.pem")
    secret = os.urandom(32)
    openssl("genrsa", "-out", rsa, "2048")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", ec)
    with open(os.path.join(folder, "hmac"), "wb") as f:
        f.write(secret)
    modulus = bytes.fromhex(
        openssl("rsa", "-in", rsa, "-noout", "-modulus").decode().split("=")[1])
    point = openssl("ec", "-in", ec, "-pubout", "-outform", "DER")[-64:]
    return {"keys": [
        {"kid": "hmac", "kty": "oct", "alg": "HS256", "k": b64(secret)},
        {"kid": "rsa", "kty": "RSA", "alg": "RS256", "n": b64(modulus), "e": "AQAB"},
        {"kid": "ec", "kty": "EC", "alg": "ES256", "crv": "P-256",
         "x": b64(point[:32]), "y": b64(point[32:])}]}


def rsa_public(folder, form):
    """form: PEM or DER."""
    return openssl("rsa", "-in", os.path.join(folder, "rsa.pem"), "-pubout",
                   "-outform", form)


def _raw(der):
    """r and s of 32 bytes each (RFC 7518 3.4), from SEQUENCE { r, s }."""
    numbers, at = b"", 2
    for _ in range(2):
        size = der[at + 1]
        numbers += der[at + 2:at + 2 + size].lstrip(b"\0").rjust(32, b"\0")
        at += 2 + size
    return numbers


def token(folder, alg, kid, claims, secret=None):
    """secret: for HS256, instead of the folder's."""
    text = b64(json.dumps({"alg": alg, "typ": "JWT", "kid": kid}).encode()) + "." + \
        b64(json.dumps(claims).encode())
    if alg == "HS256":
        if secret is None:
            with open(os.path.join(folder, "hmac"), "rb") as f:
                secret = f.read()
        signature = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    elif alg == "none":
        signature = b""
    else:
        key = "rsa.pem" if alg == "RS256" else "ec.pem"
        signature = openssl("dgst", "-sha256", "-sign", os.path.join(folder, key),
                            data=text.encode())
        if alg == "ES256":
            signature = _raw(signature)
    return text + "." + b64(signature)
