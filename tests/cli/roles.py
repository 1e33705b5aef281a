#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every operation of the table, by everybody, in every protocol; and one
account asking for all that another one has. TAP on standard output.

  roles.py make FOLDER                   writes keys, token keys, configuration
  roles.py run FOLDER ADDRESS PID TABLE  against a collector that has them

TABLE is what tally-collector --operations prints. An operation that is built
and has no entry in inputs() fails: so this grows with the table."""
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from awsclient import Client, Time, encode, jwks, token  # noqa: E402

ROLES = ("ingest", "read", "admin")
ACCOUNTS = {"A": "123456789012", "B": "210987654321"}  # A: the collector's own
TOKEN_SECRET = b"token-secret-0123456789abcdef0123456789"
DAY = int(time.time()) // 86400 * 86400
START, END = DAY - 86400, DAY + 2 * 86400
SPAN = [("start", str(START)), ("end", str(END))]


class Names:
    """What things of one account are called. All of one length, so that
    answers about one's and about nobody's things are comparable."""

    def __init__(self, mark):
        self.mark = f"MARKER{mark}"
        digit = {"A": "a", "N": "e"}[mark]
        self.trace = f"1-{DAY:08x}-{digit * 24}"
        self.function = self.mark + "-function"
        self.group = f"/aws/lambda/{self.mark}-group"
        self.namespace = self.mark + "/Space"
        self.metric = self.mark + "-metric"
        self.usage = self.mark + "-usage"
        self.alarm = self.mark + "-alarm"
        self.producer = self.mark + "-producer"
        self.traces = self.mark + "-traces"  # a group of X-Ray
        self.rule = self.mark + "-rule"
        self.policy = self.mark + "-policy"
        self.insight = f"{digit * 8}-0000-5000-8000-{digit * 12}"
        # Tokens of retrievals: retrieve() gets A's.
        self.retrieval, self.cancelled = digit * 32, digit * 31 + "0"

    def all(self):
        return [v for v in vars(self).values()]


A, N = Names("A"), Names("N")


class Writer:
    """What an account writes: under A's names, its own values."""

    def __init__(self, mark):
        self.mark = "SECRET-OF-" + mark
        self.account = ACCOUNTS[mark]
        self.sequence = 0
        self.billed = 10 if mark == "A" else 20

    def segment(self, names):
        return json.dumps({
            "id": "00000000000000aa", "trace_id": names.trace,
            "name": names.function, "start_time": DAY, "end_time": DAY + 1,
            "aws": {"request_id": names.usage},
            "annotations": {"who": self.mark}})

    def span(self, names):
        def text(key, value):
            return {"key": key, "value": {"stringValue": value}}
        return {"resourceSpans": [{
            "resource": {"attributes": [
                text("service.name", names.function)]},
            "scopeSpans": [{"spans": [{
                "traceId": names.trace[2:].replace("-", ""),
                "spanId": "00000000000000bb", "name": names.function,
                "startTimeUnixNano": str(DAY * 10 ** 9),
                "endTimeUnixNano": str((DAY + 1) * 10 ** 9),
                "attributes": [text("who", self.mark)]}]}]}]}

    def batch(self, names):
        self.sequence += 1
        out = subprocess.run(
            [sys.executable, "tests/cli/batch.py", names.producer,
             str(self.sequence), "segment=" + self.segment(names),
             f"datum={names.namespace},{names.metric},{self.billed},"
             f"{names.function}",
             f"log={names.group},stream,{self.mark} {names.mark}",
             f"usage={names.usage},{names.function},128,{self.billed}"],
            stdout=subprocess.PIPE, check=True)
        return out.stdout


class Rest:
    """below: what follows the path, or stands for the {label} in it."""

    def __init__(self, below="", query=(), body=b"", headers=None):
        self.below, self.query, self.headers = below, query, headers or {}
        self.body = body
        if isinstance(body, dict):
            self.body = json.dumps(body).encode()
            self.headers = {"Content-Type": "application/json"}


def control(n, w):
    """Of X-Ray's control plane. What is deleted is made before: prepare()."""
    mark = w.mark if w else ""
    arn = (f"arn:aws:xray:us-east-1:{w.account if w else ACCOUNTS['A']}:"
           f"sampling-rule/{n.rule}")
    group = {"GroupName": n.traces,
             "FilterExpression": f'annotation[who] = "{mark}"'}
    rule = {"RuleName": n.rule, "ResourceARN": "*", "Priority": 7,
            "FixedRate": 0.5, "ReservoirSize": 3, "ServiceName": mark,
            "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*",
            "Version": 1}
    policy = {"PolicyName": n.policy, "PolicyDocument": json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Sid": mark}]})}

    def gone(names, key):
        return dict(names, **{key: names[key] + "-gone"})
    return {
        "CreateGroup": [Rest(body=group), Rest(body=gone(group, "GroupName"))],
        "UpdateGroup": [Rest(body=group)],
        "DeleteGroup": [Rest(body={"GroupName": n.traces + "-gone"})],
        "GetGroup": [Rest(body={"GroupName": n.traces})],
        "GetGroups": [Rest(body={})],
        "CreateSamplingRule": [
            Rest(body={"SamplingRule": rule}),
            Rest(body={"SamplingRule": gone(rule, "RuleName")})],
        "UpdateSamplingRule": [Rest(body={"SamplingRuleUpdate": {
            "RuleName": n.rule, "Host": mark}})],
        "DeleteSamplingRule": [Rest(body={"RuleName": n.rule + "-gone"})],
        "GetSamplingStatisticSummaries": [Rest(body={})],
        "TagResource": [Rest(body={"ResourceARN": arn, "Tags": [
            {"Key": "who", "Value": mark}, {"Key": "b", "Value": "c"}]})],
        "UntagResource": [Rest(body={"ResourceARN": arn, "TagKeys": ["b"]})],
        "ListTagsForResource": [Rest(body={"ResourceARN": arn})],
        "PutResourcePolicy": [Rest(body=policy),
                              Rest(body=gone(policy, "PolicyName"))],
        "DeleteResourcePolicy": [Rest(body={
            "PolicyName": n.policy + "-gone"})],
        "ListResourcePolicies": [Rest(body={})],
        "PutEncryptionConfig": [Rest(body={"Type": "NONE"})],
        "GetEncryptionConfig": [Rest(body={})],
        "GetIndexingRules": [Rest(body={})],
        "UpdateIndexingRule": [Rest(body={"Name": "Default", "Rule": {
            "Probabilistic": {"DesiredSamplingPercentage":
                              w.billed if w else 1}}})],
        "GetTraceSegmentDestination": [Rest(body={})],
        "UpdateTraceSegmentDestination": [Rest(body={
            "Destination": "XRay" if w and w.billed == 10
            else "CloudWatchLogs"})],
        "PutTelemetryRecords": [Rest(body={"TelemetryRecords": [
            {"Timestamp": DAY, "SegmentsSentCount": 1}]})],
        "GetInsightSummaries": [Rest(body={
            "GroupName": n.traces, "StartTime": START, "EndTime": END})],
        "GetInsight": [Rest(body={"InsightId": n.insight})],
        "GetInsightEvents": [Rest(body={"InsightId": n.insight})],
        "GetInsightImpactGraph": [Rest(body={
            "InsightId": n.insight, "StartTime": DAY,
            "EndTime": DAY + 3600})],
        "StartTraceRetrieval": [Rest(body={
            "TraceIds": [n.trace], "StartTime": START, "EndTime": END})],
        "ListRetrievedTraces": [
            lambda: Rest(body={"RetrievalToken": n.retrieval})],
        "GetRetrievedTracesGraph": [
            lambda: Rest(body={"RetrievalToken": n.retrieval})],
        "CancelTraceRetrieval": [
            lambda: Rest(body={"RetrievalToken": n.cancelled})],
    }


def prepare(run, who, values):
    """What the matrix deletes is there."""
    for name in ("CreateGroup", "CreateSamplingRule", "PutResourcePolicy"):
        answer = run.call(who, named(run, name), "rest-json", values[name][1])
        if answer.status != 200:
            return f"{name}: {answer.text()}"
    return None


def retrieve(run, who, names, values):
    """Tokens of retrievals of A's trace."""
    tokens = [json.loads(run.call(
        who, named(run, "StartTraceRetrieval"), "rest-json",
        values["StartTraceRetrieval"][0]).body)["RetrievalToken"]
        for _ in range(2)]
    names.retrieval, names.cancelled = tokens


def inputs(n, w):
    """Valid inputs by operation: what asks about names n, or writes w there.
    The first of a list is enough for the matrix; a dict is for operations that
    are reached by name."""
    dimension = [{"Name": "FunctionName", "Value": n.function}]
    return {
        "PutBatch": [lambda: Rest(body=w.batch(n), headers={
            "Content-Type": "application/x-protobuf"})],
        "ListTraces": [Rest(query=SPAN),
                       Rest(query=SPAN + [("function", n.function)]),
                       Rest(query=SPAN + [("filter", "ok or !ok")])],
        "GetTrace": [Rest(n.trace), Rest(n.usage)],
        "GetDistribution": [Rest(query=SPAN)],
        "GetMap": [Rest(query=SPAN)],
        "CompareTraces": [Rest(query=SPAN + [("a", "ok"), ("b", "!ok")])],
        "ListFunctions": [Rest(query=SPAN)],
        "ListSeries": [Rest(), Rest(query=[("namespace", n.namespace)])],
        "GetSeries": [Rest(query=SPAN + [
            ("namespace", n.namespace), ("name", n.metric), ("period", "60"),
            ("dim.FunctionName", n.function)])],
        "GetLogs": [Rest(query=SPAN),
                    Rest(query=SPAN + [("group", n.group)]),
                    Rest(query=SPAN + [("contains", n.mark)])],
        "ListAlarms": [Rest()],
        "GetAlarmHistory": [Rest(), Rest(query=[("name", n.alarm)])],
        "GetUsage": [Rest(n.usage)],
        "GetStatement": [Rest()],
        "GetStatus": [Rest()],
        "GetAudit": [Rest(), Rest(query=[("caller", n.mark + "-read")]),
                     Rest(query=[("limit", "10000")])],
        "GetHealth": [Rest()],
        "GetMetricsText": [Rest()],
        "PutOtlpTraces": [lambda: Rest(body=w.span(n))],
        "PutOtlpMetrics": [lambda: Rest(body={})],
        "PutOtlpLogs": [lambda: Rest(body={})],
        **control(n, w),
        "PutTraceSegments": [lambda: Rest(body={
            "TraceSegmentDocuments": [w.segment(n)]})],
        "BatchGetTraces": [Rest(body={"TraceIds": [n.trace]})],
        "GetServiceGraph": [Rest(body={"StartTime": DAY,
                                       "EndTime": DAY + 3600})],
        "GetTraceGraph": [Rest(body={"TraceIds": [n.trace]})],
        "GetTimeSeriesServiceStatistics": [
            Rest(body={"StartTime": DAY, "EndTime": DAY + 600}),
            Rest(body={"StartTime": DAY, "EndTime": DAY + 600,
                       "EntitySelectorExpression":
                       f'service("{n.function}")'})],
        "GetTraceSummaries": [
            Rest(body={"StartTime": DAY, "EndTime": DAY + 86400}),
            Rest(body={"StartTime": DAY, "EndTime": DAY + 86400,
                       "TimeRangeType": "Event",
                       "FilterExpression": "service() {ok} or !ok"})],
        "GetSamplingRules": [Rest(body={})],
        "GetSamplingTargets": [Rest(body={"SamplingStatisticsDocuments": [{
            "RuleName": "Default", "ClientID": "0123456789abcdef01234567",
            "Timestamp": DAY, "RequestCount": 1, "SampledCount": 1,
            "BorrowCount": 0}]})],
        "PutMetricData": [lambda: {
            "Namespace": n.namespace, "MetricData": [{
                "MetricName": n.metric, "Dimensions": dimension,
                "Timestamp": Time(time.time() // 60 * 60),
                "Value": float(w.billed)}]}],
        "ListMetrics": [{}, {"Namespace": n.namespace},
                        {"MetricName": n.metric, "Dimensions": dimension}],
        "GetMetricStatistics": [{
            "Namespace": n.namespace, "MetricName": n.metric,
            "Dimensions": dimension, "StartTime": Time(START),
            "EndTime": Time(END), "Period": 86400,
            "Statistics": ["Sum", "SampleCount"]}],
    }


# Whoever may call these is told 404 about what is not his.
BY_ID = {"GetTrace", "GetUsage", "ListRetrievedTraces",
         "GetRetrievedTracesGraph", "CancelTraceRetrieval"}
# Of insights, which nobody here has; xray_insights.t has some.
NOBODYS = {"GetInsight", "GetInsightEvents", "GetInsightImpactGraph"}
# Their answers change by themselves, or by being asked for.
ALIVE = {"GetStatus", "GetHealth", "GetMetricsText", "GetAudit",
         "GetSamplingStatisticSummaries", "StartTraceRetrieval",
         "CancelTraceRetrieval"}


# --- files -------------------------------------------------------------------------

def key_lines(name, account, role, extra=""):
    ident = ("TALY" + name.upper().replace("-", "") + "X" * 20)[:20]
    secret = ("secret/of+" + name + "z" * 40)[:40]
    return ident, secret, (
        f"[{name}]\naws_access_key_id = {ident}\n"
        f"aws_secret_access_key = {secret}\nrole = {role}\n"
        f"account = {account}\n{extra}")


def keys(gone=()):
    """Credentials by name, and the text of the file."""
    credentials, text = {}, "# written by roles.py\n"
    for mark, account in ACCOUNTS.items():
        for role in ROLES:
            name = f"MARKER{mark}-{role}"
            ident, secret, lines = key_lines(name, account, role)
            credentials[f"{mark} {role} key"] = ("key", ident, secret)
            text += lines
    for name, extra in (("expired", "expires = 20200101T000000Z\n"),
                        ("revoked", "")):
        ident, secret, lines = key_lines(name, ACCOUNTS["A"], "admin", extra)
        credentials[name] = ("key", ident, secret)
        text += "" if name in gone else lines
    ident, secret, _ = key_lines("unknown", ACCOUNTS["A"], "admin")
    credentials["unknown"] = ("key", ident, secret)
    first = credentials["A admin key"]
    credentials["wrong secret"] = ("key", first[1], "x" * 40)
    return credentials, text


def tokens():
    out = {}
    for mark, account in ACCOUNTS.items():
        for role in ROLES:
            out[f"{mark} {role} token"] = ("token", token(
                TOKEN_SECRET, "roles", {
                    "iss": "https://issuer.test", "aud": "tallyscope",
                    "exp": int(time.time()) + 3600,
                    "sub": f"MARKER{mark}-{role}-token",
                    "tallyscope_account": account,
                    "tallyscope_role": role}))
    return out


def write(path, text):
    with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600),
              encoding="utf-8") as f:
        f.write(text)


def make(folder):
    write(f"{folder}/keys", keys()[1])
    write(f"{folder}/jwks", json.dumps(jwks(TOKEN_SECRET, "roles")))
    write(f"{folder}/config", json.dumps({
        "keys": f"{folder}/keys",
        "tokens": {"jwks": f"{folder}/jwks", "issuer": "https://issuer.test",
                   "audience": "tallyscope"},
        "alarms": [{
            "name": A.alarm, "namespace": A.namespace, "metric": "nothing",
            "statistic": "Sum", "threshold": 1,
            "comparison": "GreaterThanOrEqualToThreshold",
            "treat_missing_data": "notBreaching"}]}))


# --- the run -----------------------------------------------------------------------

class Tap:
    def __init__(self):
        self.count = 0

    def ok(self, good, name, *why):
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        for line in why if not good else ():
            print("# " + str(line)[:300].replace("\n", "\\n"))
        sys.stdout.flush()


class Run:
    def __init__(self, address, table):
        self.client = Client(address)
        self.table = table
        self.calls = 0
        self.callers, _ = keys()
        self.callers.update(tokens())
        self.callers["nobody"] = None

    def call(self, who, operation, protocol, value):
        value = value() if callable(value) else value
        self.calls += 1
        if protocol == "rest-json":
            path = operation["path"]
            path = re.sub(r"\{[^}]*\}", value.below, path) \
                if "{" in path else path + value.below
            return self.client.send(
                self.callers[who], operation["signing"], operation["method"],
                path, value.query, value.headers, value.body)
        method, path, headers, body = encode(operation, protocol, value)
        return self.client.send(self.callers[who], operation["signing"],
                                method, path, (), headers, body)


def may(operation, who):
    """What the row says; None: refused for who it is, not for the role."""
    roles = operation["roles"]
    if "public" in roles:
        return True
    if who.split()[-1] not in ("key", "token"):
        return None
    if who.endswith("token") and operation["signing"] != "tallyscope":
        return None
    mark, role, _ = who.split()
    if "owner" in roles and mark != "A":
        return False
    return role == "admin" or role in roles


# The last of each is google.rpc.Code, for OpenTelemetry's exporters.
DENIED = re.compile(r'AccessDenied|^{"code":7,', re.M)
UNKNOWN = re.compile(r"MissingAuthenticationToken|UnrecognizedClient|"
                     r"InvalidClientTokenId|ExpiredToken|SignatureDoesNotMatch|"
                     r'InvalidSignature|InvalidToken|^{"code":16,', re.M)


def verdict(operation, who, answer):
    """None: as it should be."""
    want = may(operation, who)
    text = answer.text()
    if want:
        fine = 200 <= answer.status < 300
        if who.startswith("B") and operation["name"] in BY_ID:
            fine = fine or answer.status == 404
        if operation["name"] in NOBODYS:
            fine = fine or "Insight not found" in text
        return None if fine else f"{who}: {answer.status} {text}"
    code = DENIED if want is False else UNKNOWN
    if answer.status in (400, 401, 403) and code.search(text):
        return None
    return f"{who} is let in: {answer.status} {text}"


def matrix(run, tap, callers, values, title):
    cells = 0
    for operation in run.table:
        for protocol in operation["protocols"]:
            wrong = []
            for who in callers:
                value = values[operation["name"]][0]
                answer = run.call(who, operation, protocol, value)
                wrong.append(verdict(operation, who, answer))
                cells += 1
            wrong = [w for w in wrong if w]
            tap.ok(not wrong, f"{title}: {operation['name']} by {protocol}",
                   *wrong)
    return cells


def normal(text):
    """Without what differs between two answers that say the same."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    return re.sub(r"\b\d{10}(\.\d+)?\b", "TIME", text)


def is_question(operation):
    return operation["class"] in ("read", "health")


def questions(run, values):
    for operation in run.table:
        if not is_question(operation):
            continue
        for protocol in operation["protocols"]:
            for i, value in enumerate(values[operation["name"]]):
                yield operation, protocol, i, value


def sent_text(value):
    value = value() if callable(value) else value
    if isinstance(value, dict):
        return json.dumps(value)
    return json.dumps([value.below, list(value.query)]) + \
        value.body.decode("latin-1")


def leaks(run, tap):
    """B asks for what A has, and for what nobody has: it sees no difference,
    and no name of A that it did not say itself."""
    of_a = inputs(A, None)
    of_n = inputs(N, None)
    secrets = A.all() + ["SECRET-OF-A", ACCOUNTS["A"]]
    found = {}
    asked = 0
    for operation, protocol, i, value in questions(run, of_a):
        wrong = found.setdefault((operation["name"], protocol), [])
        for who in run.callers:
            if not who.startswith("B"):
                continue
            answer = run.call(who, operation, protocol, value)
            asked += 1
            for secret in secrets:
                if secret in answer.text() and secret not in sent_text(value):
                    wrong.append(f"{who} sees {secret}: {answer.text()}")
            if operation["name"] in ALIVE:
                continue
            other = run.call(who, operation, protocol,
                             of_n[operation["name"]][i])
            mine = answer.text()
            for a, n in zip(A.all(), N.all()):
                mine = mine.replace(a, n)
            if (answer.status, normal(mine)) != \
                    (other.status, normal(other.text())):
                wrong.append(f"{who} can tell: {answer.status} {mine} not "
                             f"{other.status} {other.text()}")
    for (name, protocol), wrong in found.items():
        tap.ok(not wrong, f"B learns nothing of A: {name} by {protocol}",
               *wrong)
    return asked


def questions_ask(run, tap):
    """What B cannot tell, A can: each question that names something of A has
    another answer than one about nobody's things. Else B's would prove
    nothing."""
    of_n, vain = inputs(N, None), []
    for operation, protocol, i, value in questions(run, inputs(A, None)):
        name = operation["name"]
        other = of_n[name][i]
        if name in ALIVE | NOBODYS or sent_text(value) == sent_text(other):
            continue
        mine = run.call("A admin key", operation, protocol, value).text()
        for a, n in zip(A.all(), N.all()):
            mine = mine.replace(a, n)
        theirs = run.call("A admin key", operation, protocol, other).text()
        if normal(mine) == normal(theirs):
            vain.append(f"{name} by {protocol}: {sent_text(value)}: {mine}")
    tap.ok(not vain, "A sees what B asks about", *vain)


def snapshot(run, who, values):
    out = {}
    for operation, protocol, i, value in questions(run, values):
        if operation["name"] not in ALIVE:
            answer = run.call(who, operation, protocol, value)
            out[operation["name"], protocol, i] = (
                answer.status, normal(answer.text()))
    return out


def settled(run, who, values):
    """The answers once they stay the same: what was written is applied."""
    last, same = snapshot(run, who, values), 0
    for _ in range(100):
        time.sleep(0.1)
        now = snapshot(run, who, values)
        same = same + 1 if now == last else 0
        last = now
        if same == 3:
            break
    return last


def wait_for(condition, seconds=30):
    until = time.time() + seconds
    while not condition() and time.time() < until:
        time.sleep(0.1)
    return condition()


def named(run, name):
    return next(o for o in run.table if o["name"] == name)


def revoke(run, tap, folder, pid):
    health = named(run, "ListTraces")
    value = inputs(A, None)["ListTraces"][0]
    before = run.call("revoked", health, "rest-json", value).status
    write(f"{folder}/keys", keys(gone=("revoked",))[1])
    os.kill(pid, signal.SIGHUP)
    tap.ok(before == 200 and wait_for(lambda: run.call(
        "revoked", health, "rest-json", value).status == 403),
           "a key is good until it is revoked, and not one call longer",
           before)


def is_there(run, what, operation, value):
    answer = run.call("A admin key", named(run, operation), "rest-json", value)
    return what in answer.text()


def run_all(folder, address, pid, table):
    tap = Tap()
    with open(table, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    run = Run(address, [row for row in rows if row["built"]])
    wa, wb = Writer("A"), Writer("B")
    of_a, of_b = inputs(A, wa), inputs(A, wb)
    missing = [o["name"] for o in run.table if o["name"] not in of_a]
    tap.ok(not missing, "every operation that is built has an input here",
           f"add to inputs() in tests/cli/roles.py: {missing}")
    run.table = [o for o in run.table if o["name"] in of_a]

    revoke(run, tap, folder, pid)
    good = [w for w in run.callers if w.split()[-1] in ("key", "token")]
    by_a = [w for w in good if w.startswith("A")]
    by_b = [w for w in good if w.startswith("B")]
    bad = [w for w in run.callers if w not in good]

    run.call("A ingest key", named(run, "PutBatch"), "rest-json",
             of_a["PutBatch"][0])
    tap.ok(wait_for(lambda: is_there(run, "SECRET-OF-A", "GetTrace",
                                     of_a["GetTrace"][0])) and
           wait_for(lambda: is_there(run, A.metric, "ListSeries",
                                     of_a["ListSeries"][0])) and
           wait_for(lambda: is_there(run, "SECRET-OF-A", "GetLogs",
                                     of_a["GetLogs"][0])) and
           wait_for(lambda: is_there(run, A.function, "GetUsage",
                                     of_a["GetUsage"][0])) and
           wait_for(lambda: is_there(run, A.alarm, "GetAlarmHistory",
                                     of_a["GetAlarmHistory"][0])),
           "A has a trace, a metric, a log, usage and an alarm that changed")

    wrong = prepare(run, "A admin key", of_a)
    tap.ok(not wrong, "A has what it will delete", wrong)
    retrieve(run, "A admin key", A, of_a)
    cells = matrix(run, tap, by_a + bad, of_a, "A and strangers")
    asked = leaks(run, tap)
    before = settled(run, "A admin key", of_a)
    questions_ask(run, tap)
    wrong = prepare(run, "B admin key", of_b)
    tap.ok(not wrong, "so has B", wrong)
    cells += matrix(run, tap, by_b, of_b, "B")
    tap.ok(wait_for(lambda: "SECRET-OF-B" in run.call(
        "B read key", named(run, "GetTrace"), "rest-json",
        of_a["GetTrace"][0]).text()), "B has written under the names of A")
    settled(run, "B admin key", of_a)
    after = snapshot(run, "A admin key", of_a)
    wrong = [f"{k}: {before[k]} is now {after[k]}"
             for k in before if before[k] != after[k]]
    tap.ok(before.keys() == after.keys() and len(before) > 0 and not wrong,
           "no answer to A has changed by what B wrote", *wrong)
    text = str(after)
    tap.ok("SECRET-OF-A" in text and "SECRET-OF-B" not in text,
           "nothing of B is in them")
    print(f"# {len(run.table)} operations x "
          f"{len(good)} callers of {len(ACCOUNTS)} accounts and {len(bad)} "
          f"strangers, in all their protocols: {cells} cells; {asked} "
          f"questions of B about A; {run.calls} calls")
    print(f"1..{tap.count}")


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        run_all(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
