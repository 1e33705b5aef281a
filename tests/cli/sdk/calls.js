// SPDX-License-Identifier: Apache-2.0
// Calls a collector with AWS's SDK for JavaScript as it is, in every protocol it
// speaks, and prints "ok - NAME" or "not ok - NAME" for each expectation.
//
//   calls.js URL KEY-ID SECRET          all but the following
//   calls.js --one URL KEY-ID SECRET    one call, for TLS
const net = require('net');
const http = require('http');
const { CloudWatchClient, ...cloudwatch } = require('@aws-sdk/client-cloudwatch');
const older = require('client-cloudwatch-query');
const { XRayClient, ...xray } = require('@aws-sdk/client-xray');
const { AwsSmithyRpcV2CborProtocol } = require('@aws-sdk/core/protocols');
const { SignatureV4 } = require('@smithy/signature-v4');
const { HttpRequest } = require('@smithy/protocol-http');
const { Hash } = require('@smithy/hash-node');

const one = process.argv[2] === '--one';
const [url, accessKeyId, secretAccessKey] = process.argv.slice(one ? 3 : 2);
const region = 'us-east-1';
const start = Math.floor(Date.now() / 60000) * 60; // of this minute
const traceId = n => `1-${start.toString(16)}-${n.toString().padStart(24, '0')}`;
const options = more => ({ endpoint: url, region, maxAttempts: 1,
  credentials: { accessKeyId, secretAccessKey }, ...more });
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

function report(passed, name, ...told) {
  console.log((passed ? 'ok - ' : 'not ok - ') + name);
  if (!passed)
    for (const t of told)
      console.log('# ' + (t instanceof Error ? `${t.name} ${t.Code} ${t}` :
        JSON.stringify(t)).slice(0, 400));
}

function is(got, want, name) {
  report(JSON.stringify(got) === JSON.stringify(want), name, { got }, { want });
}

// The error of a call that must fail, as its user sees it.
async function refused(name, want, call) {
  try {
    const answer = await call();
    report(false, name, 'no error', answer);
  } catch (e) {
    is([e.name, e.Code ?? null, e.$metadata?.httpStatusCode], want, name);
  }
}

// What call answers once wanted is true of it; the last answer otherwise.
async function eventually(call, wanted) {
  for (let tries = 100; ; tries--) {
    const answer = await call();
    if (wanted(answer) || !tries) return answer;
    await sleep(50);
  }
}

// --- CloudWatch -----------------------------------------------------------------

// A client's requests, as they leave.
function watch(client) {
  const seen = [];
  client.middlewareStack.add(next => async a => {
    seen.push({ ...a.request.headers, bytes: a.request.body?.length });
    return next(a);
  }, { step: 'finalizeRequest', priority: 'low', name: 'watch' });
  return seen;
}

const statistics = (c, client, Namespace, MetricName) => client.send(
  new c.GetMetricStatisticsCommand({ Namespace, MetricName, Period: 60,
    Dimensions: [{ Name: 'of', Value: '"a" & <b>' }],
    StartTime: new Date((start - 60) * 1000), EndTime: new Date((start + 120) * 1000),
    Statistics: ['Sum', 'SampleCount', 'Minimum', 'Maximum', 'Average'] }));
const datum = (MetricName, Value) => ({ MetricName, Value, Unit: 'Count',
  Timestamp: new Date(start * 1000), Dimensions: [{ Name: 'of', Value: '"a" & <b>' }] });

// wanted: refusals as [name, Code, status]. CBOR of this SDK compresses after it
// has counted (Content-Length is wrong), so there it may not.
async function metrics(protocol, c, Client, more, wanted) {
  const named = text => `${protocol}: ${text}`;
  const client = new Client(options(more));
  const seen = watch(client);
  const Namespace = `SDK ${protocol}/a:b#c`;

  try {
    for (const value of [1.5, -2, 40])
      await client.send(new c.PutMetricDataCommand({ Namespace,
        MetricData: [datum('few', value)] }));
    await client.send(new c.PutMetricDataCommand({ Namespace, MetricData:
      Array.from({ length: 300 }, (_, i) => datum('many', i)) }));
    report(true, named('PutMetricData'));
    if (!more.disableRequestCompression) {
      const last = seen[seen.length - 1];
      report(last['content-encoding'] === 'gzip', named('300 data were compressed'), last);
    }
    const list = await eventually(() => client.send(
      new c.ListMetricsCommand({ Namespace })), a => a.Metrics?.length === 2);
    is(list.Metrics?.map(m => [m.Namespace, m.MetricName, m.Dimensions]).sort(),
      ['few', 'many'].map(name => [Namespace, name, [{ Name: 'of', Value: '"a" & <b>' }]]),
      named('ListMetrics'));
    const few = await statistics(c, client, Namespace, 'few');
    is(few.Datapoints?.map(d => [d.Timestamp.getTime() / 1000, d.SampleCount, d.Sum,
      d.Minimum, d.Maximum]), [[start, 3, 39.5, -2, 40]],
      named('GetMetricStatistics'));
    const many = await statistics(c, client, Namespace, 'many');
    is(many.Datapoints?.map(d => [d.SampleCount, d.Sum, d.Average]),
      [[300, 44850, 149.5]], named('of all 300'));
    report(/^[0-9a-f-]{36}$/.test(many.$metadata.requestId), named('the request has an id'),
      many.$metadata);
  } catch (e) {
    report(false, named('calls with a key'), e);
  }

  const list = (credentials, also) => () => new Client(options({ ...more, credentials,
    ...also })).send(new c.ListMetricsCommand({ Namespace }));
  await refused(named('a wrong secret'), wanted.mismatch,
    list({ accessKeyId, secretAccessKey: secretAccessKey + 'x' }));
  await refused(named('an unknown key'), wanted.unknown,
    list({ accessKeyId: 'NOBODY-AT-ALL', secretAccessKey }));
  await refused(named('a region that the key is not for'), wanted.mismatch,
    list({ accessKeyId: 'REGIONAL', secretAccessKey }));
  await refused(named('the role ingest asks'), wanted.denied,
    list({ accessKeyId: 'INGEST-KEY', secretAccessKey }));
  await refused(named('an operation that is not there'), wanted.operation,
    () => client.send(new c.ListDashboardsCommand({})));
  await refused(named('a value that is not allowed'), wanted.value, () => client.send(
    new c.GetMetricStatisticsCommand({ Namespace, MetricName: 'few', Period: 60,
      StartTime: new Date(start * 1000), EndTime: new Date(start * 1000),
      Statistics: ['Sum'] })));
  const late = new Client(options({ ...more, maxAttempts: 2, systemClockOffset: 3600e3 }));
  try {
    const answer = await late.send(new c.ListMetricsCommand({ Namespace }));
    is(answer.$metadata.attempts, 2, named('a clock an hour ahead mends itself'));
  } catch (e) {
    report(false, named('a clock an hour ahead mends itself'), e);
  }
}

// For a service that was Query before, the SDK takes the code of Query, which
// scripts compare (header x-amzn-query-error), unless the shape is in its model.
// Of JSON and CBOR only the statuses are others.
const codes = (mismatch, operation) => ({
  mismatch: ['SignatureDoesNotMatch', 'SignatureDoesNotMatch', mismatch],
  unknown: ['InvalidClientTokenId', 'InvalidClientTokenId', mismatch],
  denied: ['AccessDenied', 'AccessDenied', 403],
  operation: ['InvalidAction', 'InvalidAction', operation],
  value: ['InvalidParameterValueException', 'InvalidParameterValue', 400],
});

// --- X-Ray ------------------------------------------------------------------------

const segment = (trace, id) => JSON.stringify({ trace_id: trace, id, name: 'sdk é',
  start_time: start, end_time: start + 0.25 });

async function traces() {
  const client = new XRayClient(options());
  const document = segment(traceId(1), '0123456789abcdef');

  try {
    const put = await client.send(new xray.PutTraceSegmentsCommand({
      TraceSegmentDocuments: [document, '{"no":"trace"}'] }));
    is([put.UnprocessedTraceSegments?.length, !!put.UnprocessedTraceSegments?.[0].ErrorCode],
      [1, true], 'X-Ray: PutTraceSegments, and one that is bad');
    const got = await eventually(() => client.send(new xray.BatchGetTracesCommand({
      TraceIds: [traceId(1), traceId(2)] })), a => a.Traces?.length);
    is([got.Traces?.[0]?.Id, got.Traces?.[0]?.Segments?.[0]?.Document,
      got.UnprocessedTraceIds], [traceId(1), document, [traceId(2)]], 'X-Ray: BatchGetTraces');
    const rules = await client.send(new xray.GetSamplingRulesCommand({}));
    report(rules.SamplingRuleRecords?.[0]?.SamplingRule?.RuleName !== undefined,
      'X-Ray: GetSamplingRules', rules);
  } catch (e) {
    report(false, 'X-Ray: calls with a key', e);
  }
  const get = credentials => () => new XRayClient(options({ credentials })).send(
    new xray.BatchGetTracesCommand({ TraceIds: [traceId(1)] }));
  await refused('X-Ray: a wrong secret', ['InvalidSignatureException', null, 403],
    get({ accessKeyId, secretAccessKey: secretAccessKey + 'x' }));
  await refused('X-Ray: an unknown key', ['UnrecognizedClientException', null, 403],
    get({ accessKeyId: 'NOBODY-AT-ALL', secretAccessKey }));
  await refused('X-Ray: the role ingest asks', ['AccessDeniedException', null, 403],
    get({ accessKeyId: 'INGEST-KEY', secretAccessKey }));
  const elsewhere = new XRayClient(options());
  elsewhere.middlewareStack.add(next => a => {
    a.request.path = '/NoSuchOperation';
    return next(a);
  }, { step: 'build', name: 'elsewhere' });
  await refused('X-Ray: an operation that is not there', ['UnknownOperationException', null, 404],
    () => elsewhere.send(new xray.GetGroupsCommand({})));
}

// --- pre-signed URLs --------------------------------------------------------------

async function presign(service, path, query, secret) {
  const { hostname, port, host } = new URL(url);
  const signer = new SignatureV4({ service, region, sha256: Hash.bind(null, 'sha256'),
    credentials: { accessKeyId, secretAccessKey: secret ?? secretAccessKey } });
  const r = await signer.presign(new HttpRequest({ method: 'GET', protocol: 'http:', hostname,
    port: Number(port), path, query, headers: { host } }), { expiresIn: 300 });
  return url + path + '?' + Object.entries(r.query).map(([k, v]) =>
    encodeURIComponent(k) + '=' + encodeURIComponent(v)).join('&');
}

const get = target => new Promise((resolve, reject) => http.get(target, r => {
  let text = '';
  r.on('data', d => { text += d; }).on('end', () => resolve([r.statusCode, text]));
}).on('error', reject));

async function presigned() {
  const native = await presign('tallyscope', '/api/v1/traces', { limit: '5' });
  const [status, text] = await get(native);
  report(status === 200 && text.includes(traceId(1)), 'a pre-signed URL of the native API',
    status, text);
  is((await get(native.replace('limit=5', 'limit=6')))[0], 403, 'changed: 403');
  is((await get(await presign('tallyscope', '/api/v1/traces', {}, 'another-secret-0123456789')))[0],
    403, 'with a wrong secret: 403');
  const [code, xml] = await get(await presign('monitoring', '/', { Action: 'ListMetrics',
    Version: '2010-08-01', Namespace: 'SDK Query/a:b#c' }));
  report(code === 200 && /<MetricName>few<\/MetricName>/.test(xml), 'a pre-signed Query', code, xml);
}

// --- retries ----------------------------------------------------------------------

// Passes all on to the collector, but cuts the first answer that has a body or a
// head: what was asked for is done, and the client cannot know.
function cutter() {
  const { hostname, port } = new URL(url);
  let cut = 0;
  const server = net.createServer(client => {
    const upstream = net.connect(Number(port), hostname);
    client.pipe(upstream);
    upstream.on('data', bytes => {
      if (!cut++) client.resetAndDestroy();
      else client.write(bytes);
    });
    for (const s of [client, upstream]) s.on('error', () => {});
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(
    { server, endpoint: `http://127.0.0.1:${server.address().port}`, cuts: () => cut })));
}

async function metric(name) {
  const [, text] = await get(await presign('tallyscope', '/metrics', {}));
  return Number(text.split('\n').find(l => l.startsWith(name + ' '))?.split(' ')[1]);
}

async function retried(name, Client, more, call, effect) {
  const proxy = await cutter();
  const known = 'tally_duplicates_total{kind="call"}';
  try {
    const client = new Client(options({ ...more, endpoint: proxy.endpoint, maxAttempts: 3 }));
    const before = [await metric(known), await effect()];
    const answer = await call(client);
    is(answer.$metadata.attempts, 2, `${name}: the answer was cut, the SDK came again`);
    is([await metric(known), await effect()], [before[0] + 1, before[1] + 1],
      `${name}: and that had no second effect`);
    await call(client);
    is([await metric(known), await effect()], [before[0] + 1, before[1] + 2],
      `${name}: the same call again is another call`);
    client.destroy();
  } catch (e) {
    report(false, `${name}: a retry`, e);
  }
  proxy.server.close();
}

async function retries() {
  const stored = kind => () => metric(`tally_records_stored_total{kind="${kind}"}`);
  await retried('X-Ray', XRayClient, {}, client => client.send(
    new xray.PutTraceSegmentsCommand({ TraceSegmentDocuments: [
      segment(traceId(3), '0123456789abcde3')] })), stored('segment'));
  for (const [protocol, c, Client, more] of [
    ['JSON', cloudwatch, CloudWatchClient, {}],
    ['CBOR', cloudwatch, CloudWatchClient, { protocol: AwsSmithyRpcV2CborProtocol }],
    ['Query', older, older.CloudWatchClient, {}]])
    await retried(protocol, Client, more, client => client.send(new c.PutMetricDataCommand({
      Namespace: 'SDK retry', MetricData: [datum(protocol, 1)] })), stored('datum'));
}

async function main() {
  if (one) {
    const answer = await new CloudWatchClient(options()).send(
      new cloudwatch.ListMetricsCommand({}));
    console.log(answer.$metadata.httpStatusCode);
    return;
  }
  await metrics('JSON', cloudwatch, CloudWatchClient, {}, codes(400, 400));
  await metrics('CBOR', cloudwatch, CloudWatchClient,
    { protocol: AwsSmithyRpcV2CborProtocol, disableRequestCompression: true },
    codes(400, 404));
  await metrics('Query', older, older.CloudWatchClient, {}, codes(403, 400));
  await traces();
  await presigned();
  await retries();
}

main().catch(e => {
  console.log(one ? `${e.name} ${e.code ?? ''}` : `not ok - ${e.stack}`);
  process.exitCode = 1;
});
